"""The inner loop of the search over orders of operations, over plain arrays.

Compiled by Numba where it is installed, like `tabu_moves`; nearly all in one module, since of a
change in another Numba would keep the old machine code. Operations are numbered so that each comes
after all that it waits for; ``t`` is a `twin.optimize.sequence_search.Tables`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.optimize.sequence_times import opening_at, over_at, soonest, sort_by
from twin.optimize.tabu_moves import compiled

_AGAIN = 0.7  #: share of tries that put lots anew
_LOTS = 10  #: at most so many in a try


@compiled
def place_all(t: Any, keys: Any, chosen: Any, held: Any, order: Any, start: Any, end: Any,
              on: Any, done: Any, free: Any, family: Any) -> int:
    """Place operations in the order of their keys, as `Floor` does; the cost of the schedule.

    By operation, `keys` are raised in place so that none is below one that it waits for, `chosen`
    is its machine, -1 for the one that is done first, and what is `held` does not begin before the
    plan in force lets it. `order`, as it was before, is sorted in place. The schedule (`start`,
    `end`, `on`), ends of lots and machines as it leaves them are written.
    """
    n, jobs, setup_cost, moved = len(keys), len(done), 0, 0
    first, job, started, tail, delay = t.first, t.job, t.started, t.tail, t.delay
    way_from, way_machine, way_minutes = t.way_from, t.way_machine, t.way_minutes
    after_from, after, high, families = t.after_from, t.after, t.high, t.family
    span_from, shut, opens, room, batch = t.span_from, t.shut, t.open, t.room, t.batch
    word, begun, over, space, gone = t.word, t.begun, t.over, t.space, t.gone
    people, people_from, crew, tool_crew = t.people, t.people_from, t.crew, t.tool_crew
    turn, service_from, service, latest = t.turn, t.service_from, t.service, t.latest
    planned, planned_on, tolerance = t.planned, t.planned_on, t.tolerance
    short, batches, due = len(people) > 0, t.batches > 0, len(service) > 0
    for m in range(len(free)):
        free[m], family[m], word[m], turn[m] = 0, t.tool_family[m], -1, service_from[m]
    for k in range(len(people)):
        people[k] = 0
    for j in range(jobs):
        most = -1e18
        for i in range(after_from[j], after_from[j + 1]):
            most = max(most, high[after[i]])
        done[j] = t.release[j]
        for v in range(first[j], first[j + 1]):
            gone[v] = started[v] >= 0
            if gone[v]:
                keys[v] = -1e18
                m = way_machine[way_from[v]]
                on[v], start[v] = m, -started[v]
                end[v] = over_at(span_from[m], span_from[m + 1], shut, opens, 0,
                                way_minutes[way_from[v]])
                free[m], done[j] = max(free[m], end[v]), end[v]
                word[m], begun[m], over[m], space[m] = batch[v], start[v], end[v], room[v] - 1
                for c in (tool_crew[m], crew[v] if crew[v] != tool_crew[m] else -1):
                    if c >= 0:
                        people[soonest(people, people_from[c], people_from[c + 1])] = end[v]
                if families[v] >= 0:
                    if families[v] != family[m]:
                        setup_cost += t.setup_cost[t.group[m], family[m] + 1, families[v]]
                    family[m] = families[v]
                most = max(most, float(end[v]))
            else:
                most = max(most + delay[v], keys[v])
                keys[v] = most
                most += t.least[v]
        high[j] = most + tail[j]
    sort_by(order, keys)
    for i in range(n):
        v = order[i]
        u, want, back = v, chosen[v], -1
        while not gone[v]:
            j, own = job[u], families[u]
            if u == first[j]:
                for a in range(after_from[j], after_from[j + 1]):
                    done[j] = max(done[j], done[after[a]] + tail[after[a]])
            ready = done[j] + delay[u]
            if held[u] and u == v:
                ready = max(ready, planned[u] - tolerance)
            begin, stop, cost, quick, m = 0, 1 << 60, 0, 1 << 60, 0
            for w in range(way_from[u], way_from[u + 1]):
                o, minutes = way_machine[w], way_minutes[w]
                if want >= 0 and o != want:
                    continue
                low, top, time, change, dear = span_from[o], span_from[o + 1], free[o], 0, 0
                if batches and 0 <= batch[u] == word[o] and space[o] > 0 and ready <= begun[o]:
                    time, done_ = begun[o], over[o]
                else:
                    if own >= 0 and own != family[o]:
                        change = t.setup_minutes[t.group[o], family[o] + 1, own]
                        dear = t.setup_cost[t.group[o], family[o] + 1, own]
                        if change < 0:
                            change, dear = t.setup[u], 0
                    if low < top and change:
                        time = opening_at(low, top, shut, opens, time)
                        time = over_at(low, top, shut, opens, time, change)
                    else:
                        time += change
                    time = max(time, ready)
                    if short:
                        for c in (tool_crew[o], crew[u]):
                            if c >= 0:
                                time = max(time, people[soonest(people, people_from[c],
                                                                people_from[c + 1])])
                    if low < top:
                        time = opening_at(low, top, shut, opens, time)
                        done_ = over_at(low, top, shut, opens, time, minutes)
                    else:
                        done_ = time + minutes
                if done_ < stop or (done_ == stop and (minutes, o) < (quick, m)):
                    begin, stop, cost, quick, m = time, done_, dear, minutes, o
            late = -1  # a service that would else come too late goes first
            while due and u == v and late < 0 and turn[m] < service_from[m + 1]:
                s = service[turn[m]]
                if s == v or (not gone[s] and over_at(
                        span_from[m], span_from[m + 1], shut, opens, stop,
                        way_minutes[way_from[s]]) <= latest[s]):
                    break
                turn[m] += 1
                if not gone[s]:
                    late = s
            if late >= 0:
                u, want, back = late, -1, m
                continue
            joins = (batches and 0 <= batch[u] == word[m] and space[m] > 0
                     and begin == begun[m] and stop == over[m] == free[m])
            if batches:
                space[m] = (space[m] if joins else room[u]) - 1
                word[m], begun[m], over[m] = batch[u], begin, stop
            if short and not joins:
                for c in (tool_crew[m], crew[u] if crew[u] != tool_crew[m] else -1):
                    if c >= 0:
                        people[soonest(people, people_from[c], people_from[c + 1])] = stop
            if own >= 0:
                family[m] = own
            on[u], start[u], end[u], gone[u] = m, begin, stop, True
            free[m], done[j] = max(free[m], stop), stop
            setup_cost += cost
            if planned_on[u] >= 0 and (m != planned_on[u]
                                       or abs(begin - planned[u]) > tolerance):
                moved += 1
            u, want = v, back
    return _cost(t, done, setup_cost, moved)


@compiled
def _cost(t: Any, done: Any, setup_cost: int, moved: int) -> int:
    """What a schedule costs under the goal, as `schedule_score.score` counts it."""
    cost, makespan = 0, 0
    t.goal[7] = max(0, moved - t.goal[4])
    for j in range(len(done)):
        end = done[j] + t.tail[j]
        makespan = max(makespan, end)
        if end > t.due[j]:
            cost += t.goal[0] * t.weight[j] * (end - t.due[j])
        if end > t.deadline[j]:
            cost += t.goal[5] * (end - t.deadline[j])
    return int(cost + t.goal[1] * makespan + t.goal[2] * setup_cost + t.goal[3] * moved
               + t.goal[6] * t.goal[7])


@compiled
def _vary(t: Any, now: Any, keys: Any, chosen: Any, held: Any, late: Any, lates: int, away: Any,
          aways: int, span: int, luck: Any) -> None:
    """Move a few operations elsewhere in the order."""
    n = len(keys)
    more = luck.random()
    for _ in range(1 + (more < 0.4) + (more < 0.1)):
        if lates and luck.random() < 0.5:
            j = late[int(luck.random() * lates)]
            v = t.first[j] + int(luck.random() * (t.first[j + 1] - t.first[j]))
        else:
            v = int(luck.random() * n)
        j = t.job[v]
        held[v] = False
        choice = luck.random()
        if choice < 0.35:  # before or after another operation of its machine
            u = int(luck.random() * n)
            while chosen[u] != chosen[v]:
                u = (u + 1) % n
            keys[v] = now[u] + (0.5 if luck.random() < 0.5 else -0.5)
        elif choice < 0.7:  # earlier or later, with what comes before or after in the lot
            shift = luck.normal() * t.reach[int(luck.random() * 3)] * span
            low, high = (t.first[j], v + 1) if shift < 0.0 else (v, t.first[j + 1])
            for u in range(low, high):
                keys[u] += shift
                held[u] = False
        elif choice < 0.9 or t.way_from[v + 1] - t.way_from[v] < 2:  # wherever it is done first
            chosen[v] = -1
            keys[v] += luck.normal() * 0.05 * span
        else:
            w = t.way_from[v] + int(luck.random() * (t.way_from[v + 1] - t.way_from[v]))
            chosen[v] = t.way_machine[w]
            keys[v] += luck.normal() * 0.05 * span
    if t.plan:
        back = luck.random() * (0.8 if t.holding else 0.3)
        while luck.random() < back:  # to where the plan has it
            u = int(luck.random() * n)
            if aways and luck.random() < 0.7:
                u = away[int(luck.random() * aways)]
            if t.planned_on[u] >= 0:
                chosen[u], keys[u], held[u] = t.planned_on[u], t.planned[u], t.holding


@compiled
def _take_out(t: Any, line: Any, late: Any, lates: int, away: Any, aways: int, rest: Any,
              out: Any, begun: Any, luck: Any) -> tuple[int, int]:
    """Choose lots to put anew, late ones more often than not; how much stays, and of how many.

    What stays of `line` is written into `rest`, the first operation of each that is taken out into
    `out`; by lot it is noted in `begun`.
    """
    n, count, length = len(line), 0, 0
    begun[:] = n
    for _ in range(1 + int(luck.random() * len(out))):
        v = int(luck.random() * n)
        if lates and luck.random() < 0.5:
            j = late[int(luck.random() * lates)]
            v = t.first[j] + int(luck.random() * (t.first[j + 1] - t.first[j]))
        elif aways and luck.random() < 0.5:
            v = away[int(luck.random() * aways)]
        j = t.job[v]
        while v < t.first[j + 1] - 1 and t.started[v] >= 0:
            v += 1
        if t.started[v] < 0 and begun[j] == n:
            begun[j] = v
            out[count] = v
            count += 1
    for i in range(n):
        if line[i] < begun[t.job[line[i]]]:
            rest[length] = line[i]
            length += 1
    return length, count


@compiled
def _reinsert(t: Any, out: Any, count: int, start: Any, end: Any, on: Any, line: Any, length: int,
              free: Any, keys: Any, chosen: Any, held: Any, luck: Any) -> None:
    """Put the ends of some lots, one after another, where the others leave room, or the plan has
    them.

    `out` has the first operation of each, `line`, as long as `length`, all others in order;
    `start`, `end` and `on` are written for those that are put, and `free` is to note machines in.
    """
    for number in range(count):
        low = out[number]
        j = t.job[low]
        ready = t.release[j]
        if low > t.first[j]:
            ready = end[low - 1]
        else:
            for i in range(t.after_from[j], t.after_from[j + 1]):
                other = t.after[i]
                if t.first[other + 1] > t.first[other]:
                    ready = max(ready, end[t.first[other + 1] - 1] + t.tail[other])
        slack = luck.random() * t.tolerance  # others may be pushed a little
        faith = 1.0 - luck.random() * luck.random()
        for v in range(low, t.first[j + 1]):
            ready += t.delay[v]
            a, b = t.way_from[v], t.way_from[v + 1]
            if t.planned_on[v] >= 0 and ready <= t.planned[v] + t.tolerance \
                    and luck.random() < faith:
                chosen[v], keys[v], held[v] = t.planned_on[v], t.planned[v], t.holding
                for w in range(a, b):
                    if t.way_machine[w] == t.planned_on[v]:
                        start[v], on[v] = max(ready, t.planned[v]), t.planned_on[v]
                        end[v] = start[v] + t.way_minutes[w]
            else:
                for w in range(a, b):
                    free[t.way_machine[w]] = 0
                over, key = 1 << 60, 0.0
                for i in range(length):
                    u = line[i]
                    if start[u] > over:
                        break
                    for w in range(a, b):
                        if t.way_machine[w] == on[u]:
                            begin = max(ready, free[on[u]])
                            stop = begin + t.way_minutes[w]
                            if stop < over and stop <= start[u] + slack:
                                over, key, chosen[v] = stop, min(float(begin),
                                                                 start[u] - 0.5), on[u]
                                start[v] = begin
                            free[on[u]] = max(free[on[u]], end[u])
                for w in range(a, b):
                    begin = max(ready, free[t.way_machine[w]])
                    if begin + t.way_minutes[w] < over:
                        over, key = begin + t.way_minutes[w], float(begin)
                        chosen[v], start[v] = t.way_machine[w], begin
                keys[v], held[v], end[v], on[v] = key, False, over, chosen[v]
            ready = end[v]
            k = length
            while k > 0 and start[line[k - 1]] > start[v]:
                line[k] = line[k - 1]
                k -= 1
            line[k] = v
            length += 1


@compiled
def search(t: Any, now: Any, machine: Any, held: Any, memory: Any, tries: int, tried: int,
            best: Any, best_on: Any, best_held: Any, costs: Any, luck: Any) -> None:
    """Late acceptance over orders; `now` and `best` are starts, `costs` those of both."""
    n, jobs = len(now), len(t.release)
    keys, chosen, hold = np.empty(n), np.empty(n, np.int64), np.empty(n, np.bool_)
    start, end, on = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    done, late, away = np.empty(jobs, np.int64), np.empty(jobs, np.int64), np.empty(n, np.int64)
    free, family = np.empty(len(t.group), np.int64), np.empty(len(t.group), np.int64)
    order, sorted_ = np.arange(n), np.arange(n)
    from_, till, at = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    rest, out, begun = np.empty(n, np.int64), np.empty(_LOTS, np.int64), np.empty(jobs, np.int64)
    lates, aways, span, fresh = 0, 0, 1, True
    for number in range(tried, tried + tries):
        keys[:] = now
        chosen[:] = machine
        hold[:] = held
        if fresh:
            place_all(t, keys, chosen, hold, order, start, end, on, done, free, family)
            lates, aways, span = 0, 0, 1
            for j in range(jobs):
                span = max(span, done[j])
                if done[j] + t.tail[j] > t.due[j] and t.first[j + 1] > t.first[j]:
                    late[lates] = j
                    lates += 1
            for v in range(n):
                if t.planned_on[v] >= 0 and (on[v] != t.planned_on[v] or abs(
                        start[v] - t.planned[v]) > t.tolerance):
                    away[aways] = v
                    aways += 1
            fresh = False
            sorted_[:] = order
            from_[:], till[:], at[:] = start, end, on
            keys[:] = now
        order[:] = sorted_
        again = luck.random() < _AGAIN
        if again:
            length, count = _take_out(t, sorted_, late, lates, away, aways, rest, out, begun, luck)
            start[:], end[:], on[:] = from_, till, at
            _reinsert(t, out, count, start, end, on, rest, length, free, keys, chosen, hold, luck)
        if not again or luck.random() < 0.3:
            _vary(t, now, keys, chosen, hold, late, lates, away, aways, span, luck)
        cost = place_all(t, keys, chosen, hold, order, start, end, on, done, free, family)
        over = t.goal[7]
        slot = number % len(memory)
        if cost <= costs[0] or cost <= memory[slot]:
            now[:] = start
            machine[:] = on
            held[:] = hold
            costs[0] = cost
            costs[2] = over
            fresh = True
        memory[slot] = costs[0]
        cost += (t.goal[5] - t.goal[6]) * over
        if cost < costs[1]:
            costs[1] = cost
            best[:] = start
            best_on[:] = on
            best_held[:] = hold
        if t.holding and number % 50 == 0:  # the bound on moves is crossed now and then
            toll = t.goal[6]
            if not costs[2]:
                t.goal[6] = max(10, toll - toll // 20 - 1)
            else:  # ten times as dear as at first nothing else counts, and the search is stuck
                t.goal[6] = toll + toll // 20 + 1 if toll < 10 * t.goal[8] else t.goal[8]
            costs[0] += (t.goal[6] - toll) * costs[2]
