"""The work of a chain's plants, from its tables and its state: what a schedule has to place.

Random times count with their mean; of an operation or a delay under way, the mean less what is
done, but a tenth of the mean at least. Where a routing branches, lots take the likeliest way.
Hours become whole minutes, rounded up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from twin.network import Network, Step
from twin.optimize.schedule_work import Goal, Job, Task, Work, WorkError
from twin.optimize.workload_material import Material
from twin.optimize.workload_tools import OpenHours, Park, minutes
from twin.quantity import Quantity
from twin.state import State

_LONG_LIST = 20_000


def workload(network: Network, state: State | None = None, *, ahead: float = 0.0,
             span: float = 2880.0, hours: OpenHours | None = None, goal: Goal | None = None,
             maintenance: float | None = None) -> Work:
    """What the plants of a network have to do from a moment on.

    Parameters
    ----------
    state
        The moment; the opening of the model if None.
    ahead
        Hours for which orders that the demand lets expect are taken in as well.
    span
        Hours for which calendars are read; after them everything is open.
    hours
        Opening hours of calendars; needed where there are any.
    maintenance
        Services due within so many hours are placed; `ahead`, or a week if that is longer, if None.

    Raises
    ------
    WorkError
        If a step has no machine, a time is no number, or nothing is made anywhere.
    """
    return _Reader(network, state, ahead, span, hours).work(
        goal or Goal(), max(ahead, 168.0) if maintenance is None else maintenance)


class _Reader:
    def __init__(self, network: Network, state: State | None, ahead: float, span: float,
                 hours: OpenHours | None) -> None:
        self.network, self.state, self.ahead = network, state, ahead
        self.now = 0.0 if state is None else state.clock_h
        self.park = Park(network, self.now, span, state, hours).build()
        self.material = Material(network, state, self.now)
        self.steps: dict[tuple[str, str], list[Step]] = {}
        for row in sorted(network.routings.values(), key=lambda row: row.step):
            self.steps.setdefault((row.site, row.product), []).append(row)
        self.jobs: list[Job] = []
        self.problems: list[str] = []
        self.lot = 0

    def work(self, goal: Goal, maintenance: float) -> Work:
        if not self.steps:
            raise WorkError(f"model {self.network.name} makes nothing: the table routings is "
                            "empty. Schedule a model with a plant.")
        for site in dict.fromkeys(site for site, _ in self.steps):
            self._of_state(site)
        wanted = [*self._booked(), *self._firm(), *self._expected()]
        for order in sorted(wanted, key=lambda o: (o["due"] if o["due"] is not None else 1e18,
                                                   o["number"])):
            self._lots(order)
        self.jobs += self.park.services(maintenance)
        if self.problems:
            raise WorkError("\n".join(dict.fromkeys(self.problems)))
        if len(self.jobs) > _LONG_LIST:
            raise WorkError(f"{len(self.jobs):,} lots are too many for one schedule. Look less "
                            "far ahead, or make lots larger.")
        weights = self._weights()
        jobs = tuple(replace(job, weight=weights.get(job.weight, 1)) for job in self.jobs)
        setups = {(f"{row.site}/{row.group}", row.from_family or "", row.to_family):
                  (minutes(row.time.mean()), round(row.cost))
                  for row in self.network.setups.values()}
        return Work(jobs, tuple(self.park.tools), setups,
                    tuple(crew.size for crew in self.network.crews.values()),
                    tuple(self.network.crews), goal, notes=tuple(self.park.notes)).check()

    def _weights(self) -> dict[int, int]:
        """Priority 1 weighs most; the least urgent weighs 1."""
        found = {job.weight for job in self.jobs if not job.service}
        least = max(found, default=1)
        return {p: max(1, round(least / max(1, p))) for p in found}

    # -- lots in the plant -----------------------------------------------------------------------
    def _of_state(self, site: str) -> None:
        """Lots that have been released: where they are, and what they still need."""
        if self.state is None:
            return
        plant: Mapping[str, Any] = self.state.actors.get(f"plant {site}", {})
        orders = {row["number"]: row for row in self.state.orders}
        delays = {row["job"]: row for row in plant.get("delays", ())}
        at = {number: (tool, self.park.doing(self.park.tools[tool].name))
              for tool in range(len(self.park.tools)) if self.park.tools[tool].site == site
              for number in self.park.doing(
                  self.park.tools[tool].name).get("jobs", ())}  # type: ignore[attr-defined]
        for row in plant.get("jobs", ()):
            order = orders.get(row["order"], {})
            steps = self._path(site, row["product"], row["place"])
            head = self._head(row, steps, delays.get(row["number"]), at.get(row["number"]))
            release, waits = 0, ""
            if row["number"] in plant.get("gathering", ()):
                release, waits, _ = self._gather(site, row["product"], row["units"], order)
            self._add(site, row["product"], row["units"], steps, order, release, waits,
                      row["number"], head)

    def _head(self, row: Mapping[str, Any], steps: list[Step], delay: Mapping[str, Any] | None,
              at: tuple[int, Mapping[str, Any]] | None) -> dict[str, Any]:
        """What is under way on a lot."""
        if delay is not None:
            left = _rest(steps[0].process_time, delay["worked"], delay["left"])
            return {"delay": minutes(left)}
        if at is None:
            return {}
        tool, told = at
        phase = told["phase"]
        if phase == "staff":
            return {"machine": tool}
        if phase not in ("busy", "setup"):
            return {}
        speed = self.park.rows[tool].speed
        whole = self._hours(steps[0], row["product"], row["units"], tool) * speed
        if phase == "busy":
            law = steps[0].process_time
            certain = told.get("certain") or law.kind == "constant"
            left = told["left"] if certain else max(whole - told["worked"], 0.1 * whole)
        else:
            left = told["left"] + whole
        return {"machine": tool, "started": int(told["worked"] / speed * 60.0),
                "left": minutes(left / speed)}

    # -- orders that are still to be released ----------------------------------------------------
    def _booked(self) -> Iterator[dict[str, Any]]:
        """Orders in the books of plants, and those that will reach them."""
        if self.state is None:
            return
        rows = {row["number"]: row for row in self.state.orders}
        inside: dict[int, float] = {}
        for name, told in self.state.actors.items():
            if name.startswith("plant "):
                for job in told["jobs"]:
                    inside[job["order"]] = inside.get(job["order"], 0.0) + job["units"]
        found = [(name[6:], number, 0.0) for name, told in self.state.actors.items()
                 if name.startswith("plant ") for _, numbers in told["books"] for number in numbers]
        found += [(row["node"][6:].split("/")[0], row["order"], row["in"])
                  for row in self.state.posted if str(row["node"]).startswith("maker ")]
        for site, number, wait in found:
            row = rows[number]
            rest = row["open"] - inside.get(number, 0.0)
            if rest > 1e-9 and (site, row["product"]) in self.steps:
                yield {"site": site, "product": row["product"], "units": rest, "number": number,
                       "due": row["due_in"], "priority": row["priority"], "wait": wait,
                       "expected": False}

    def _firm(self) -> Iterator[dict[str, Any]]:
        """Firm orders of the tables that a state does not know yet."""
        rows = [row for row in self.network.orders.values()
                if row.source is None and row.status == "open"]
        known = self.state is not None
        rows = [row for row in rows if not known or row.placed >= self.now]
        for number, row in enumerate(sorted(rows, key=lambda row: max(0.0, row.placed)), 1):
            site = self._maker(row.site, row.product)
            if site is not None and (row.placed <= self.now or row.placed - self.now <= self.ahead
                                     or not known):
                due = None if row.due is None else row.due - self.now - site[1]
                yield {"site": site[0], "product": row.product, "units": row.quantity,
                       "number": 0 if known else number, "due": due, "priority": row.priority,
                       "wait": max(0.0, row.placed - self.now), "expected": known}

    def _expected(self) -> Iterator[dict[str, Any]]:
        """Orders that the demand lets expect, one a mean gap."""
        for row in self.network.demand.values():
            site = self._maker(row.site, row.product)
            gap = row.interarrival.mean()
            if site is None or not gap > 0.0:
                continue
            when = gap if row.start is None else max(0.0, row.start - self.now)
            end = min(self.ahead, float("inf") if row.end is None else row.end - self.now)
            count = 0
            while when < end and count < _LONG_LIST and (row.limit is None or count < row.limit):
                yield {"site": site[0], "product": row.product, "units": row.size.mean(),
                       "number": 0, "due": when + row.promise + row.late - site[1],
                       "priority": row.priority, "wait": when, "expected": True}
                when, count = when + gap, count + 1

    def _maker(self, site: str, product: str, gone: float = 0.0,
               seen: tuple[str, ...] = ()) -> tuple[str, float] | None:
        """The plant that makes it to order for a site, and the hours from there."""
        if (site, product) in self.network.stock or (site, product) in self.network.supply:
            return None
        if (site, product) in self.steps:
            return site, gone
        for lane in self.network.lanes.values():
            if lane.destination == site and lane.origin not in seen:
                transit = 0.0 if lane.transit is None else lane.transit.mean()
                found = self._maker(lane.origin, product, gone + transit, (*seen, site))
                if found is not None:
                    return found
        return None

    def _lots(self, order: Mapping[str, Any]) -> None:
        """Cut an order into lots."""
        product, site = order["product"], order["site"]
        size = self.network.products[product].lot_size
        left = order["units"]
        steps = self._path(site, product, 0)
        while left > 1e-9:
            units = left if size is None else min(left, size)
            left -= units
            release, waits, made = self._gather(site, product, units, {
                "number": order["number"], "due_in": order["due"], "priority": order["priority"]})
            self.jobs += made
            after = tuple(range(len(self.jobs) - len(made), len(self.jobs)))
            self._add(site, product, units, steps,
                      {"number": order["number"], "due_in": order["due"],
                       "priority": order["priority"]},
                      max(release, minutes(order["wait"])), waits, 0, {},
                      expected=order["expected"], after=after)
            if len(self.jobs) > _LONG_LIST:
                return

    def _gather(self, site: str, product: str, units: float, order: Mapping[str, Any],
                ) -> tuple[int, str, list[Job]]:
        """When components are there, what is waited for, and lots of them to make first."""
        release, waits, made = 0.0, "", []  # type: float, str, list[Job]
        taken: set[str] = set()
        for line in sorted(self.network.bom.values(), key=lambda line: line.rank):
            if line.product != product or line.site not in ("", None, site) or (
                    line.alternative and line.alternative in taken):
                continue
            if line.alternative:
                taken.add(line.alternative)
            need = line.quantity * units
            if (site, line.component) in self.steps and (
                    site, line.component) not in self.network.stock:
                kept, self.jobs = self.jobs, []
                self._add(site, line.component, need, self._path(site, line.component, 0),
                          {**order, "due_in": None}, 0, "", 0, {})
                made += self.jobs
                self.jobs = kept
            else:
                when, remark = self.material.take(site, line.component, need)
                if when > release:
                    release, waits = when, remark
        return minutes(release), waits, made

    # -- a lot -----------------------------------------------------------------------------------
    def _add(self, site: str, product: str, units: float, steps: list[Step],
             order: Mapping[str, Any], release: int, waits: str, number: int,
             head: Mapping[str, Any], *, expected: bool = False,
             after: tuple[int, ...] = ()) -> None:
        self.lot += 1
        tasks: list[Task] = []
        delay = 0
        for place, step in enumerate(steps):
            if step.group is None:
                own = head.get("delay") if place == 0 else None
                delay += minutes(step.process_time.mean() * (
                    units if step.per == "unit" else 1.0)) if own is None else own
                continue
            tasks.append(self._task(step, product, units, delay, head if place == 0 else {}))
            delay = 0
        due = order.get("due_in")
        name = f"order {order.get('number', 0)} {product}" if order.get("number") else \
            f"expected {product}"
        self.jobs.append(Job(
            tuple(tasks), f"{name} lot {number or self.lot}", release,
            None if due is None else int(due * 60.0), int(order.get("priority", 1)), None, delay,
            after, waits, "", site, product, int(order.get("number", 0)), number or self.lot,
            units, expected))

    def _task(self, step: Step, product: str, units: float, delay: int,
              head: Mapping[str, Any]) -> Task:
        assert step.group is not None
        where = f"routings[{step.site},{product},{step.step}]"
        ways = []
        for tool in self.park.able(step.site, step.group):
            if "machine" in head and tool != head["machine"]:
                continue
            took = self._hours(step, product, units, tool)
            if not 0.0 <= took < 1e6:
                self.problems.append(f"{where}: {took:g} h of work on a lot is no time that can "
                                     "be planned. Write a process_time from 0 up.")
                took = 0.0
            ways.append((tool, head.get("left", minutes(took))))
        if not ways:
            self.problems.append(f"{where}: work centre {step.group} at {step.site} has no "
                                 "machine. Add a row to machines.")
            ways = [(0, 0)]
        return Task(
            tuple(ways), step.step, delay, step.setup_family or product,
            minutes(step.setup_time.mean()),
            self.park.crew_numbers[step.crew] if step.crew else -1,
            f"{step.site}/{product}/{step.step}" if step.per == "batch" and step.batch > 1 else "",
            max(1, step.batch), head.get("started"))

    def _hours(self, step: Step, product: str, units: float, tool: int) -> float:
        """Mean hours of an operation on a lot."""
        row = self.park.rows[tool]
        own = self.network.capabilities.get((row.machine, product, step.step))
        law = step.process_time if own is None else own.process_time
        return law.mean() * (units if step.per == "unit" else 1.0) / row.speed

    def _path(self, site: str, product: str, place: int) -> list[Step]:
        """The steps that a lot still goes through, the likeliest way."""
        steps = self.steps[site, product]
        at = {str(step.step): i for i, step in enumerate(steps)}
        found: list[Step] = []
        seen: set[int] = set()
        while place < len(steps) and place not in seen:
            seen.add(place)
            found.append(steps[place])
            place = self._next(steps[place], place, at, seen, len(steps))
        return found

    def _next(self, step: Step, place: int, at: Mapping[str, int], seen: set[int],
              end: int) -> int:
        branches = [b for b in self.network.branches.values()
                    if (b.site, b.product, b.step) == (step.site, step.product, step.step)]
        shares = {place + 1: 1.0 - sum(branch.share for branch in branches)}
        for branch in branches:
            to = end if branch.next in ("done", "scrap") else at[branch.next]
            if branch.next != "scrap":
                shares[to] = shares.get(to, 0.0) + branch.share
        fresh = {to: share for to, share in shares.items() if to not in seen and share > 1e-9}
        return max(fresh, key=lambda to: (fresh[to], to)) if fresh else end


def _rest(law: Quantity, worked: float, left: float) -> float:
    """Expected hours left of something that has lasted a while."""
    if law.kind in ("constant", "series"):
        return left
    return max(law.mean() - worked, 0.1 * law.mean())
