"""Small shops for schedules, drawn and written out, and every schedule that they can have."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import strategies as st

from twin.optimize.dispatch_rules import follow
from twin.optimize.schedule_score import firsts, places, score
from twin.optimize.schedule_work import Goal, Job, Task, Tool, Work

#: Fisher and Thompson's 6 x 6, 1963: the optimum is 55.
FT06 = ("2 1 0 3 1 6 3 7 5 3 4 6", "1 8 2 5 4 10 5 10 0 10 3 4", "2 5 3 4 5 8 0 9 1 1 4 7",
        "1 5 0 5 2 5 3 3 4 8 5 9", "2 9 1 3 4 5 5 4 0 3 3 1", "1 3 3 3 5 9 0 10 4 4 2 1")


def ft06(goal: Goal) -> Work:
    rows = [[int(word) for word in row.split()] for row in FT06]
    return Work(tuple(Job(tuple(Task(((row[k], row[k + 1]),), step=k // 2)
                                for k in range(0, 12, 2)), f"lot {i}")
                      for i, row in enumerate(rows)),
                tuple(Tool(f"M{m}", f"G{m}") for m in range(6)), goal=goal)


@st.composite
def works(draw: st.DrawFn, *, batches: bool = False) -> Work:
    """Two or three lots of one or two operations on two machines, with hours, set-ups, a crew."""
    machines = 2
    with_setups, with_crew = draw(st.booleans()), draw(st.booleans())
    families = ("red", "blue", "") if with_setups else ("",)
    jobs = []
    for j in range(draw(st.integers(1, 3))):
        tasks = []
        for k in range(draw(st.integers(1, 2))):
            ways = draw(st.lists(st.tuples(st.integers(0, machines - 1), st.integers(1, 5)),
                                 min_size=1, max_size=2, unique_by=lambda way: way[0]))
            batch = "oven" if batches and draw(st.booleans()) else ""
            if batch:
                ways = [(0, 4)]
            family = families[0] if batch else draw(st.sampled_from(families))
            tasks.append(Task(tuple(ways), k, draw(st.integers(0, 2)), family, batch=batch,
                              room=2))
        due = draw(st.one_of(st.none(), st.integers(0, 12)))
        after = (0,) if j == 2 and draw(st.booleans()) else ()
        jobs.append(Job(tuple(tasks), f"lot {j}", draw(st.integers(0, 4)), due,
                        draw(st.integers(1, 3)), tail=draw(st.integers(0, 1)), after=after))
    tools = []
    for m in range(machines):
        begin = draw(st.integers(0, 6))
        closed = draw(st.sampled_from([(), ((begin, begin + 3),),
                                       ((begin, begin + 1), (begin + 3, begin + 6))]))
        tools.append(Tool(f"M{m}", "G", closed, draw(st.sampled_from(("", families[0]))),
                          0 if with_crew else -1))
    setups = {}
    if with_setups:
        one, other, cost = draw(st.integers(0, 3)), draw(st.integers(0, 3)), draw(
            st.integers(0, 5))
        setups = {("G", "red", "blue"): (one, cost), ("G", "blue", "red"): (other, 1),
                  ("G", "", "red"): (1, 0), ("G", "", "blue"): (1, 2)}
    goal = draw(st.sampled_from([Goal("makespan", 0, 1), Goal("tardiness", 10, 1),
                                 Goal("setups", 10, 1, 7)]))
    return Work(tuple(jobs), tuple(tools), setups, (1,) if with_crew else (),
                ("gang",) if with_crew else (), goal)


def orders(work: Work) -> Iterator[list[int]]:
    """Every order of operations that keeps that of the lots."""
    place = places(work)
    for order in itertools.permutations(range(len(place))):
        at = {v: i for i, v in enumerate(order)}
        if all(at[v] < at[v + 1] for v in range(len(place) - 1) if place[v][0] == place[v + 1][0]):
            yield list(order)


def brute_force(work: Work) -> int:
    """The least cost over every order and every choice of machine."""
    first, place = firsts(work), places(work)
    tasks = [work.jobs[j].tasks[k] for j, k in place]
    best = 1 << 60
    for order in orders(work):
        keys = [0.0] * first[-1]
        for i, v in enumerate(order):
            keys[v] = float(i)
        for machine in itertools.product(*([m for m, _ in task.ways] for task in tasks)):
            best = min(best, score(work, follow(work, keys, machine)).cost)
    return best
