"""Following a plan: to the minute while all goes as planned, and in its order where not.

A machine is set up ahead for its next planned operation, begins it as soon as its lot, its machine
and its turn at its crews are there, and serves itself where the plan has a service. Until the
planned start it does nothing else that is not expected to be done by then. From a minute after it
the machine no longer waits: of the lots that are there it takes the one that was to begin first,
also from a machine beside it that is late, and also one that the plan does not know, by when it
came. A lot that stays away for a day after its planned start loses its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING, Any

from twin.plan import Plan, Service
from twin.simulate.kernel import START

if TYPE_CHECKING:
    from twin.simulate.group import Group
    from twin.simulate.job import Job
    from twin.simulate.machine import Machine
    from twin.simulate.world import World

_PATIENCE = 24.0
_LATE = 1.0 / 60.0  #: hours after its start from which a turn is late
_EPS = 1e-6

#: What names a lot in a plan: site, product, order, lot.
Name = tuple[str, str, int, int]


class Turn:
    """A planned operation (of several lots, if they are a batch), or a planned service."""

    def __init__(self, start: float, names: list[Name], step: int,
                 service: Service | None = None) -> None:
        self.start, self.names, self.step, self.service = start, names, step, service
        self.here: dict[Name, Job] = {}
        self.crews: list[str] = []

    @property
    def ready(self) -> bool:
        """Whether all its lots are there."""
        return len(self.here) == len(self.names)


class Planned:
    """The queue of a work centre that follows a plan."""

    ranked = True
    key: Callable[[Job], float] | None = None

    def __init__(self, follower: Follower, group: Group) -> None:
        self.follower, self.group = follower, group
        self.others: deque[Job] = deque()  #: lots that the plan does not know
        self.waiting: dict[int, tuple[Job, Turn]] = {}
        self.mates: dict[int, list[Job]] = {}

    def push(self, job: Job) -> None:
        turn, name = self.follower.turn_of(job)
        if turn is None or name is None:
            self.others.append(job)
            return
        turn.here[name] = job
        self.waiting[job.number] = (job, turn)

    def pop(self, machine: Any) -> Job | None:
        return self.follower.next(machine, self)

    def begin(self, turn: Turn) -> Job:
        """Take the lots of a turn."""
        jobs = [turn.here[name] for name in turn.names]
        for job in jobs:
            self.waiting.pop(job.number, None)
        first, *rest = jobs
        self.mates[first.number] = rest
        for job in rest:
            self.waiting[job.number] = (job, turn)  # until the batch is filled
        return first

    def beside(self, job: Job) -> list[Job]:
        """Lots that the plan has in one batch with a lot."""
        return self.mates.pop(job.number, [])

    def jobs(self) -> Iterator[Job]:
        yield from (job for job, _ in self.waiting.values())
        yield from self.others

    def take(self, job: Job) -> None:
        if self.waiting.pop(job.number, None) is None:
            self.others.remove(job)

    def __len__(self) -> int:
        return len(self.waiting) + len(self.others)


class Follower:
    """A plan, and how far each machine and crew of a world has come in it."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world, self.env = world, world.env
        self.lines: dict[str, deque[Turn]] = {}
        self.turns: dict[tuple[Name, int], Turn] = {}
        self.crews: dict[str, list[Turn]] = {}
        self.lots: dict[tuple[str, str, int], deque[int]] = {}
        self.known: dict[tuple[str, int], Name] = {}  #: lot of the world -> of the plan
        self.last_start: dict[Name | None, float] = {}  #: planned, of a lot's last turn
        self.alarms: set[tuple[str, float]] = set()
        self.groups: list[Group] = []
        self._write_down(plan)
        for plant in world.plants.values():
            for group in plant.groups.values():
                if any(machine.name in self.lines for machine in group.machines):
                    self._take_over(group)
        self._order_crews()

    # -- the plan --------------------------------------------------------------------------------
    def _write_down(self, plan: Plan) -> None:
        """Every machine's turns in order; lots that begin together are one turn."""
        fresh = [one for one in plan.operations if not one.started]
        at: dict[tuple[str, float, str, int], Turn] = {}
        entries: list[tuple[float, float, str, Turn]] = []
        for one in sorted(fresh, key=lambda o: (o.start, o.end, o.order, o.lot)):
            name = (one.site, one.product, one.order, one.lot)
            key = (one.machine, one.start, one.product, one.step)
            if key in at and one.end > one.start + _EPS:
                at[key].names.append(name)
            else:
                at[key] = Turn(one.start, [name], one.step)
                entries.append((one.start, one.end, one.machine, at[key]))
            self.turns[name, one.step] = at[key]
        busy = {one.machine for one in plan.operations}
        for service in [one for one in plan.services if one.asset in busy]:
            entries.append((service.start, service.end, service.asset,
                            Turn(service.start, [], 0, service)))
        for _, _, machine, turn in sorted(entries, key=lambda entry: entry[:3]):
            self.lines.setdefault(machine, deque()).append(turn)
        lots: dict[tuple[str, str, int], set[int]] = {}
        for one in plan.operations:
            lots.setdefault((one.site, one.product, one.order), set()).add(one.lot)
        self.lots = {key: deque(sorted(found)) for key, found in lots.items()}

    def _take_over(self, group: Group) -> None:
        """Let a work centre follow; what waits there already finds its turn."""
        waiting = list(group.queue.jobs())
        group.follows = Planned(self, group)
        group.queue = group.follows
        group.wheel = group.key = None
        group.by_family = group.at_once = False
        for job in waiting:
            group.queue.push(job)
        self.groups.append(group)

    def _order_crews(self) -> None:
        """The turns of each crew, in order over all its machines."""
        steps = {(row.site, row.product, row.step): row.crew
                 for row in self.world.network.routings.values()}
        for group in self.groups:
            for machine in group.machines:
                for turn in self.lines.get(machine.name, ()):
                    if turn.service is not None:
                        continue
                    site, product, _, _ = turn.names[0]
                    crews = {machine.row.crew, steps.get((site, product, turn.step))}
                    turn.crews = sorted(crew for crew in crews if crew)
                    for crew in turn.crews:
                        self.crews.setdefault(crew, []).append(turn)
        for found in self.crews.values():
            found.sort(key=lambda turn: turn.start)

    # -- lots ------------------------------------------------------------------------------------
    def turn_of(self, job: Job) -> tuple[Turn | None, Name | None]:
        """The planned turn of a lot at its present step, and its name in the plan."""
        name = self._name(job)
        if name is None:
            return None, None
        turn = self.turns.get((name, job.operation.row.step))
        if turn is not None:
            self.last_start[name] = turn.start
        if turn is None or not any(turn in line for line in self.lines.values()):
            return None, None
        return turn, name

    def _name(self, job: Job) -> Name | None:
        """Which lot of the plan it is: by number, else the next of its order, else of those
        that were expected."""
        key = (job.site, job.number)
        if key in self.known:
            return self.known[key]
        product = job.maker.product
        for order in (job.order.number, 0):
            lots = self.lots.get((job.site, product, order))
            if lots:
                lot = job.number if order and job.number in lots else lots[0]
                lots.remove(lot)
                self.known[key] = (job.site, product, order, lot)
                return self.known[key]
        return None

    # -- machines --------------------------------------------------------------------------------
    def next(self, machine: Machine, queue: Planned) -> Job | None:
        """What a machine does now."""
        now = self.env._now
        line = self.lines.get(machine.name, deque())
        while line:
            turn = line[0]
            if turn.service is not None:
                line.popleft()
                if self._serve(machine, turn.service):
                    return None
                continue
            if now < turn.start + _PATIENCE - _EPS or turn.ready:
                break
            self._give_up(line, turn, queue)
        if not line:
            return self._first(machine, queue)
        turn = line[0]
        if self._late(turn):
            if not turn.ready:
                self._look_again(machine, turn.start + _PATIENCE)
            return self._first(machine, queue)
        if turn.ready:
            return self._begin(line, turn, queue) if self._manned(turn, machine) else None
        self._look_again(machine, turn.start + _LATE)
        return self._first(machine, queue, until=turn.start)

    def _late(self, turn: Turn) -> bool:
        return self.env._now >= turn.start + _LATE - _EPS

    def _look_again(self, machine: Machine, time: float) -> None:
        if time > self.env._now and (machine.name, time) not in self.alarms:
            self.alarms.add((machine.name, time))
            self.env.call(time, START, self._wake, machine)

    def _first(self, machine: Machine, queue: Planned, until: float = inf) -> Job | None:
        """Of the lots that are there the one that was to begin first: turns of this machine if it
        is late, late ones of the others beside it, and lots without a turn. It has to be done
        `until` then, as expected."""
        now = self.env._now
        found: list[tuple[float, int, deque[Turn], Turn | Job, list[Job]]] = []
        for other in queue.group.machines:
            line = self.lines.get(other.name, deque())
            for turn in line:
                if turn.service is not None or not turn.ready:
                    continue
                if other is machine:
                    if until == inf:
                        found.append((turn.start, len(found), line, turn, []))
                elif self._late(turn):
                    found.append((turn.start, len(found), line, turn, list(turn.here.values())))
                else:
                    self._look_again(machine, turn.start + _LATE)
        for job in queue.others:
            name = self.known.get((job.site, job.number))
            found.append((self.last_start.get(name, job.queued), len(found), deque(), job, [job]))
        for _, _, line, one, jobs in sorted(found, key=lambda entry: entry[:2]):
            hours = sum(job.operation.expected(job.units) for job in jobs) / machine.speed
            if now + hours > until + _EPS:
                continue
            if not isinstance(one, Turn):
                queue.others.remove(one)
                return one
            if self._manned(one, machine):
                return self._begin(line, one, queue)
        return None

    def _manned(self, turn: Turn, machine: Machine) -> bool:
        """Whether it is the turn's turn at its crews: what they have before it has begun or is
        late. If not, the machine looks again when it will be."""
        time = max((other.start + _LATE for crew in turn.crews
                    for other in takewhile(lambda one: one is not turn, self.crews[crew])),
                   default=0.0)
        if self.env._now >= time - _EPS:
            return True
        self._look_again(machine, time)
        return False

    def _begin(self, line: deque[Turn], turn: Turn, queue: Planned) -> Job:
        line.remove(turn)
        self._leave_crews(turn)
        self._call(queue)
        return queue.begin(turn)

    def _leave_crews(self, turn: Turn) -> None:
        for crew in turn.crews:
            self.crews[crew].remove(turn)

    def _give_up(self, line: deque[Turn], turn: Turn, queue: Planned) -> None:
        line.popleft()
        self._leave_crews(turn)
        for job in turn.here.values():
            queue.waiting.pop(job.number, None)
            queue.others.append(job)
        self._call(None)

    def _serve(self, machine: Machine, service: Service) -> bool:
        """Begin a service; False if the machine has had it, or has failed, meanwhile."""
        for failure in (*machine.wear, *machine.clocked):
            if failure.row.cause == service.cause and failure.phase == "up":
                failure.serve()
                return True
        return False

    def ahead(self, machine: Machine) -> Any:
        """The operation that a machine could be set up for now, if the plan says so."""
        line = self.lines.get(machine.name)
        if not line or line[0].service is not None:
            return None
        turn = line[0]
        site, product, _, _ = turn.names[0]
        maker = self.world.plants[site].maker(product)
        place = maker.places.get(turn.step)
        return None if place is None else maker.operations[place]

    def _call(self, but: Planned | None) -> None:
        """Somebody's turn at a crew may have come."""
        for group in self.groups:
            if group.follows is not but:
                self.call(group)

    def call(self, group: Group) -> bool:
        """Let every idle machine of a work centre look at its plan."""
        found = False
        for machine in group.idle:
            if not machine.stops and machine.pause.asleep:
                machine.pause.wake(START)
                found = True
        return found

    def _wake(self, machine: Machine) -> None:
        if machine in machine.group.idle and machine.pause.asleep:
            machine.pause.wake(START)


def follow(world: World, plan: Plan) -> Follower:
    """Let a world follow a plan from now on, in place of any earlier one.

    Raises
    ------
    ValueError
        If the plan names a machine that the world does not have.
    """
    machines = {machine.name for plant in world.plants.values() for machine in plant.machines}
    strange = sorted({one.machine for one in plan.operations} - machines)
    if strange:
        raise ValueError(f"the plan works on {', '.join(strange[:5])}, which model "
                         f"{world.network.name} does not have. Make a plan for this model.")
    follower = Follower(world, plan)
    for group in follower.groups:
        follower.call(group)  # in a running world some stand idle
    return follower
