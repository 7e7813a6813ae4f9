"""Safety stock over a network by guaranteed service times (Graves and Willems 2000).

Each stage quotes a service time to those below it. What it cannot cover while it waits for its own
supply and works, it covers by stock: its net replenishment time is the longest service time quoted
to it, plus its own time, minus what it quotes. The cheapest quotes are found by dynamic programming
on a tree, and by prices on quotes (then by a programme) on any other network without cycles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from twin.plan import Answer, Status

#: Safety stock cost of a stage with a net replenishment time, in whole periods.
Cost = Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the network.

    Attributes
    ----------
    name
        What it is called.
    time
        Periods of its own work.
    cost
        Safety stock cost by net replenishment time.
    inbound
        Service time quoted by suppliers outside the network.
    most_quoted
        Longest service time that it may quote; None where nothing limits it.
    """

    name: str
    time: int
    cost: Cost
    inbound: int = 0
    most_quoted: int | None = None


@dataclass(frozen=True, slots=True)
class Quotes:
    """Service times quoted by each stage, net replenishment times, and the answer."""

    quoted: Mapping[str, int]
    net: Mapping[str, int]
    answer: Answer


@dataclass(frozen=True)
class ServiceNetwork:
    """Stages, and arcs from supplier to user.

    Examples
    --------
    >>> root = lambda holding, sd: lambda periods: holding * sd * periods**0.5
    >>> chain = ServiceNetwork(
    ...     (Stage("1", 2, root(1, 2**.5), inbound=1), Stage("2", 1, root(3, 1), most_quoted=0),
    ...      Stage("3", 1, root(2, 2**.5)), Stage("4", 1, root(3, 1), most_quoted=1)),
    ...     (("1", "3"), ("3", "2"), ("3", "4")))
    >>> best = chain.best()
    >>> dict(best.quoted), round(best.answer.objective, 5)
    ({'1': 0, '3': 0, '2': 0, '4': 1}, 8.27792)
    """

    stages: tuple[Stage, ...]
    arcs: tuple[tuple[str, str], ...]
    _by_name: dict[str, Stage] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_name = {stage.name: stage for stage in self.stages}
        object.__setattr__(self, "_by_name", by_name)
        problems = [f"stage {stage.name}: time {stage.time} is no whole number from 0 up."
                    for stage in self.stages
                    if stage.time != int(stage.time) or stage.time < 0]
        problems += [f"arc {up} to {down}: {end} is no stage."
                     for up, down in self.arcs for end in (up, down) if end not in by_name]
        if len(by_name) < len(self.stages):
            problems.append("two stages have the same name.")
        if problems:
            raise ValueError("\n".join(problems))
        self.order()

    def order(self) -> list[str]:
        """The stages, suppliers before users.

        Raises
        ------
        ValueError
            If goods would go round in a circle.
        """
        waiting = {stage.name: 0 for stage in self.stages}
        for _, down in self.arcs:
            waiting[down] += 1
        ready = [name for name, count in waiting.items() if not count]
        found: list[str] = []
        users = self.users()
        for name in ready:
            found.append(name)
            for down in users[name]:
                waiting[down] -= 1
                if not waiting[down]:
                    ready.append(down)
        if len(found) < len(self.stages):
            stuck = sorted(set(waiting) - set(found))
            raise ValueError(f"the stages {', '.join(stuck[:8])} supply one another in a circle.")
        return found

    def users(self) -> dict[str, list[str]]:
        """Whom each stage supplies."""
        found: dict[str, list[str]] = {stage.name: [] for stage in self.stages}
        for up, down in self.arcs:
            found[up].append(down)
        return found

    def suppliers(self) -> dict[str, list[str]]:
        """Who supplies each stage."""
        found: dict[str, list[str]] = {stage.name: [] for stage in self.stages}
        for up, down in self.arcs:
            found[down].append(up)
        return found

    def longest(self) -> dict[str, int]:
        """The longest time in which each stage can have replaced anything: no quote is longer."""
        suppliers = self.suppliers()
        found: dict[str, int] = {}
        for name in self.order():
            stage = self._by_name[name]
            above = max([stage.inbound, *(found[up] for up in suppliers[name])])
            found[name] = above + stage.time
        return found

    def stage(self, name: str) -> Stage:
        """A stage by its name."""
        return self._by_name[name]

    def most(self, longest: Mapping[str, int]) -> dict[str, int]:
        """The longest service time that each stage may quote."""
        return {name: limit if stage.most_quoted is None else min(limit, stage.most_quoted)
                for name, stage in self._by_name.items() for limit in (longest[name],)}

    def evaluate(self, quoted: Mapping[str, int]) -> Quotes:
        """The cost of given quotes.

        Raises
        ------
        ValueError
            If a stage quotes less than nothing or more than it may.
        """
        suppliers = self.suppliers()
        most = self.most(self.longest())
        net = {}
        cost = 0.0
        for name in self.order():
            stage = self._by_name[name]
            if not 0 <= quoted[name] <= most[name]:
                raise ValueError(f"stage {name} quotes {quoted[name]}; it may quote 0 to "
                                 f"{most[name]}.")
            above = max([stage.inbound, *(quoted[up] for up in suppliers[name])])
            net[name] = max(0, above + stage.time - quoted[name])
            cost += stage.cost(net[name])
        return Quotes({name: quoted[name] for name in net}, net,
                      Answer(Status.FEASIBLE, objective=cost, engine="given"))

    def is_forest(self) -> bool:
        """Whether no two stages are joined in two ways, whatever the direction of the arcs."""
        parent = {stage.name: stage.name for stage in self.stages}

        def root(name: str) -> str:
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        for up, down in self.arcs:
            a, b = root(up), root(down)
            if a == b:
                return False
            parent[a] = b
        return True

    def best(self, seconds: float = 30.0) -> Quotes:
        """The cheapest quotes: exact on trees; elsewhere the best found, with its bound."""
        if self.is_forest():
            from twin.optimize.service_tree import solve_forest

            quoted = solve_forest(self)
            found = self.evaluate(quoted)
            cost = found.answer.objective
            return Quotes(found.quoted, found.net, Answer(
                Status.OPTIMAL, objective=cost, bound=cost, engine="dynamic programming"))
        from twin.optimize.service_programme import solve_programme

        return solve_programme(self, seconds)


def tabulated(values: Sequence[float]) -> Cost:
    """A cost read from a table by net replenishment time."""
    def cost(periods: int) -> float:
        return values[periods]
    return cost


def square_root(holding: float, sd: float, factor: float) -> Cost:
    """The usual bound: holding x factor x sd x root of the net replenishment time.

    Examples
    --------
    >>> square_root(2.0, 5.0, 1.645)(4)
    32.9
    """
    scale = holding * sd * factor

    def cost(periods: int) -> float:
        return scale * math.sqrt(periods)
    return cost


def pooled_sd(sds: Iterable[float]) -> float:
    """Standard deviation of the demand that independent users add up to.

    Examples
    --------
    >>> pooled_sd([3.0, 4.0])
    5.0
    """
    return math.sqrt(sum(sd * sd for sd in sds))
