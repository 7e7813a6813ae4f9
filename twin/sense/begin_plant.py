"""Plants, machines, failures and crews of a sensed chain, as a state says them."""

from __future__ import annotations

from typing import Any

from twin.network import Failure, Step
from twin.sense.begin_orders import Row, Scene, luck
from twin.sense.fold_shelves import EPS

_CERTAIN = ("constant", "series", "ar1")


class Plants:
    """Lots at each step, what machines do to them, and what is broken."""

    def __init__(self, scene: Scene, drivers: dict[str, list[str]]) -> None:
        self.scene, self.work = scene, scene.work
        self.sites = [name[6:] for name in scene.actors if name.startswith("plant ")]
        self.holders = {crew: list(names) for crew, names in drivers.items()}  #: by crew
        self.waiting: dict[str, list[Any]] = {}  #: crew -> who waits for one
        self.blocked: dict[str, list[int]] = {}  #: machine -> done lots that it holds
        self.queues: dict[str, list[int]] = {}
        self.before: dict[str, list[str]] = {}
        self.staff: dict[str, int] = {}  #: machine -> lot that waits there for a crew
        self.units: dict[int, float] = {}  #: order -> units in released lots

    def state(self) -> dict[str, Row]:
        """Every plant, work centre, machine, failure and crew."""
        found: dict[str, Row] = {}
        for site in self.sites:
            found |= self._plant(site)
        found |= self._failures()
        for crew in {*self.holders, *self.waiting}:
            waiting = sorted(self.waiting.get(crew, ()), key=lambda entry: (entry[1], -entry[2]))
            found[crew] = {"holders": self.holders.get(crew, []), "waiting": waiting}
        return found

    def _machines(self) -> list[str]:
        return [name for name in self.work.tables if name in self.scene.actors]

    def _ask(self, name: str, crews: list[str], order: int, since: float) -> None:
        """A machine waits for the first of its crews that is not there."""
        for crew in crews:
            if name not in self.holders.get(crew, ()):
                priority = self.scene.orders.rows[order]["priority"]
                self.waiting.setdefault(crew, []).append([name, priority, self.scene.at - since])
                return

    # -- lots ------------------------------------------------------------------------------------
    def _plant(self, site: str) -> dict[str, Row]:
        scene = self.scene
        self.queues, self.before, self.blocked, self.units = {}, {}, {}, {}
        jobs: list[Row] = []
        delays: list[Row] = []
        here = {number: job for number, job in self.work.jobs.items()
                if job["site"] == site and job["order"] in scene.orders.rows
                and (site, job["product"]) in self.work.steps}
        for number, job in sorted(here.items(), key=lambda item: (item[1]["since"], item[0])):
            step = self._place(job)
            self._stands(number, job, step, delays)
            jobs.append(self._row(number, job))
        self._take(site, here)
        jobs += self._gathering(site)
        for row in jobs:
            self.units[row["order"]] = self.units.get(row["order"], 0.0) + row["units"]
        plant = {**scene.actors[f"plant {site}"], "jobs": jobs, "delays": delays,
                 "books": self._books(site)}
        found = {f"plant {site}": plant}
        idle: dict[str, list[tuple[float, str]]] = {}
        for name in self._machines():
            table = self.work.tables[name]
            if table.site != site:
                continue
            state = found[name] = self._machine(name, here)
            if state["phase"] == "idle" and not (
                    self.queues.get(table.group) and self._could_start(name)):
                since = self.work.machines.get(name, {}).get("since", 0.0)
                idle.setdefault(table.group, []).append((since, name))
        for group in {*self.queues, *self.before, *idle}:
            rows = {"queue": self.queues.get(group, []), "outside": self.before.get(group, []),
                    "idle": [name for _, name in sorted(idle.get(group, ()), key=lambda e: e[0])],
                    "hungry": []}
            if any(rows.values()):
                found[f"group {site}/{group}"] = rows
        return found

    def _could_start(self, name: str) -> bool:
        """Whether an idle machine is on shift and whole."""
        return self._on_shift(name) and not self.work.machines.get(name, {}).get("stopped")

    def _place(self, job: Row) -> Step:
        """The step at which a lot is; a lot that only waits to go on after the last one is at the
        likeliest branch.
        """
        steps = self.work.steps[job["site"], job["product"]]
        if job["place"] >= len(steps):
            last = steps[-1]
            likely = max((row for row in self.scene.network.branches.values()
                          if (row.site, row.product, row.step) == (
                              last.site, last.product, last.step)
                          and row.next.isdigit()), key=lambda row: row.share, default=None)
            wanted = last.step if likely is None else int(likely.next)
            job["place"] = next(place for place, step in enumerate(steps) if step.step == wanted)
        return steps[job["place"]]

    def _stands(self, number: int, job: Row, step: Step, delays: list[Row]) -> None:
        """Put a lot where it is: in a queue, at a step without a machine, held by a machine."""
        phase = job["phase"]
        if phase == "delay" or (step.group is None and phase in ("new", "held")):
            delays.append(self._delay(number, job, step, begun=phase == "delay"))
        elif phase == "queue" or (phase == "new" and step.group is not None):
            self.queues.setdefault(step.group or "", []).append(number)
        elif phase == "held":
            machine = job["machine"]
            known = self.work.machines.get(machine)
            if known is not None and not known["jobs"]:
                self.blocked.setdefault(machine, []).append(number)
            else:  # it left a step without a machine, and stands before a full queue
                self.queues.setdefault(step.group or "", []).append(number)

    def _take(self, site: str, here: dict[int, Row]) -> None:
        """Lots that an idle machine on shift has taken, though nobody is there to work on them."""
        self.staff = {}
        idle = [(known["since"] if known else 0.0, place, name)
                for place, name in enumerate(self._machines())
                for known in [self.work.machines.get(name)]
                if self.work.tables[name].site == site and name not in self.blocked
                and self._on_shift(name)
                and (known is None or not (known["jobs"] or known["stopped"]))]
        for _, _, name in sorted(idle):
            queue = self.queues.get(self.work.tables[name].group, [])
            first = next((number for number in queue if not self._crews_free(name, here[number])),
                         None)
            if first is not None:
                queue.remove(first)
                self.staff[name] = first

    def _crews_free(self, name: str, job: Row) -> bool:
        """Whether all the crews that a lot needs on a machine could come."""
        step, table = self._place(job), self.work.tables[name]
        for crew in {table.crew, step.crew} - {None}:
            busy = sum(crew in self._crews_of(other, known)
                       for other, known in self.work.machines.items()
                       if known["jobs"] and not known["stopped"] and self._on_shift(other)
                       and self.work.crews.manned(other, self.scene.at))
            if busy >= self.scene.network.crews[crew or ""].size:
                return False
        return True

    def _crews_of(self, name: str, known: Row) -> set[str | None]:
        job = self.work.jobs.get(known["jobs"][0])
        step = None if job is None else self.work.step(job)
        return {self.work.tables[name].crew, step.crew if step is not None else None}

    def _row(self, number: int, job: Row) -> Row:
        scene, at = self.scene, self.scene.at
        interrupted = job["phase"] == "queue" and job["worked"]
        parts = []
        for asked in job["parts"]:
            for product, lot, units in scene.goods.orders.get(asked, {}).get("parts", ()):
                parts.append({"product": product,
                              "goods": [scene.lot(lot, product, units, job["released"])]})
        return {"number": number, "product": job["product"], "order": job["order"],
                "units": job["units"], "place": job["place"], "arrived": at - job["since"],
                "queued": at - job["since"], "released": at - job["released"],
                "begun": at - job["begun"],
                "left": self._left(job, number) if interrupted else None,
                "counted": bool(interrupted) or job["phase"] == "machine", "missing": 0.0,
                "reserved": self._kept(job), "onward": None, "parts": parts}

    def _kept(self, job: Row) -> str | None:
        """The work centre where a place is kept for a lot in work, if work waits for room there."""
        step = self.work.step(job)
        row = self.scene.network.groups.get((job["site"], (step.group or "") if step else ""))
        if row is None or row.blocking != "before" or job["phase"] not in ("machine", "setup"):
            return None
        after = self.work.step({**job, "place": job["place"] + 1})
        return after.group if after is not None else None

    def _gathering(self, site: str) -> list[Row]:
        """Lots that wait for components."""
        scene, at = self.scene, self.scene.at
        lots: dict[int, list[int]] = {}
        for each, number in scene.gathering.items():
            if scene.goods.orders[each]["site"] == site:
                lots.setdefault(number, []).append(each)
        rows = []
        for number, asked in lots.items():
            orders = [scene.goods.orders[each] for each in asked]
            above = scene.orders.rows.get(orders[0]["parent"])
            if above is None or (site, above["product"]) not in scene.made:
                continue
            wanted = {line.component: line.quantity for lines in self.work.lines(
                above["product"], site) for line in lines}
            age = at - orders[0]["time"]
            rows.append({
                "number": number, "product": above["product"], "order": above["number"],
                "units": orders[0]["quantity"] / wanted.get(orders[0]["product"], 1.0),
                "place": 0, "arrived": age, "queued": age, "released": age, "begun": age,
                "left": None, "counted": False, "reserved": None, "onward": None,
                "missing": sum(scene.orders.rows[each]["undelivered"] for each in asked
                               if each in scene.orders.rows),
                "parts": [{"product": product, "goods": [scene.lot(lot, product, units, at - age)]}
                          for order in orders for product, lot, units in order["parts"]]})
        return rows

    def _books(self, site: str) -> list[list[Any]]:
        """Orders that have units not yet released."""
        found: dict[str, list[int]] = {}
        rows = self.scene.orders.rows
        for number, node in self.scene.orders.owes.items():
            if node.startswith(f"maker {site}/") and self.scene.orders.reaches[number] \
                    <= self.scene.at and rows[number]["open"] - self.units.get(number, 0.0) - \
                    self.scene.goods.orders[number].get("scrapped", 0.0) > EPS:
                found.setdefault(rows[number]["product"], []).append(number)
        return [[product, sorted(numbers, key=lambda number: (
            not rows[number]["buyer"].startswith("job "), rows[number]["priority"], number))]
            for product, numbers in found.items()]

    # -- time left -------------------------------------------------------------------------------
    def _delay(self, number: int, job: Row, step: Step, *, begun: bool) -> Row:
        scene = self.scene
        crew = scene.network.crews.get(step.crew or "")
        calendars = [(crew.calendar, crew.site or "")] if crew and crew.calendar else []
        worked = scene.rules.hours(calendars, job["begun"], scene.at) if begun else 0.0
        if begun and step.crew:
            self.holders.setdefault(f"crew {step.crew}", []).append(
                f"delay {job['site']}/{number}")
        return {"job": number, "begun": begun, "worked": worked,
                "left": self._rest(step, [job["units"]], worked, number)}

    def _rest(self, step: Step, units: list[float], worked: float, number: int,
              machine: str = "") -> float:
        """Work left of an operation that has had so many hours, at speed 1."""
        law = step.process_time
        for row in self.scene.network.capabilities.values():
            if (row.machine, row.product, row.step) == (machine, step.product, step.step):
                law = row.process_time
        count = sum(units) if step.per == "unit" else 1.0 if step.per == "batch" else len(units)
        if count == 1.0 or law.kind == "constant":
            if law.kind == "constant":
                return max(0.0, law.mean() * count - worked)
            return self.scene.rules.left(law, worked, luck(number, step.step, machine))
        # A sum of many times is near its mean: what is left of it is, too.
        return max(law.mean() * count - worked, 0.02 * law.mean() * count)

    def _left(self, job: Row, number: int) -> float:
        step = self.work.step(job)
        assert step is not None
        return max(EPS, self._rest(step, [job["units"]], job["worked"], number))

    # -- machines --------------------------------------------------------------------------------
    def _machine(self, name: str, here: dict[int, Row]) -> Row:
        scene, known = self.scene, self.work.machines.get(name)
        blank = scene.actors[name]
        if known is None:
            return self._staffed(name, blank, here) if name in self.staff else blank
        state = {**blank, "family": known["family"], "before": known["before"]}
        jobs = [number for number in known["jobs"] if number in here]
        held = self.blocked.get(name)
        if held and not jobs:
            for number in held:
                step = self._place(here[number])
                self.before.setdefault(step.group or "", []).append(name)
            return {**state, "phase": "blocked", "jobs": held}
        if name in self.staff:
            return self._staffed(name, state, here)
        if not jobs:
            return state
        table, step = self.work.tables[name], self._place(here[jobs[0]])
        crews = sorted({f"crew {crew}" for crew in (table.crew, step.crew) if crew})
        setup = here[jobs[0]]["phase"] == "setup"
        stopped = bool(known["stopped"]) or not self._on_shift(name) or not (
            setup or self.work.crews.manned(name, scene.at))
        if not stopped:
            for crew in crews:
                self.holders.setdefault(crew, []).append(name)
        elif self._could_start(name):
            self._ask(name, crews, here[jobs[0]]["order"], known["since"])
        units = [here[number]["units"] for number in jobs]
        if setup:
            worked = scene.rules.hours(self.work.calendars(name, step), known["since"], scene.at)
            row = scene.network.setups.get((table.site, table.group, known["before"] or "",
                                            known["family"] or ""))
            law = step.setup_time if row is None else row.time
            left = scene.rules.left(law, worked, 0.5)
            return {**state, "phase": "setup", "jobs": jobs, "left": left * table.speed,
                    "worked": worked * table.speed}
        hours = (here[jobs[0]]["worked"] or 0.0) + self.work.worked_now(name, known, scene.at)
        worked = hours * table.speed
        return {**state, "phase": "busy", "jobs": jobs, "worked": worked,
                "left": self._rest(step, units, worked, jobs[0], table.machine)}

    def _staffed(self, name: str, state: Row, here: dict[int, Row]) -> Row:
        """A machine that has taken a lot and waits for somebody to work on it."""
        number = self.staff[name]
        step, table = self._place(here[number]), self.work.tables[name]
        crews = sorted({f"crew {crew}" for crew in (table.crew, step.crew) if crew})
        self._ask(name, crews, here[number]["order"], here[number]["since"])
        return {**state, "phase": "staff", "jobs": [number]}

    def _on_shift(self, name: str) -> bool:
        """Whether a machine's own calendar is open."""
        own = self.work.calendars(name)[:1] if self.work.tables[name].calendar else []
        return self.scene.rules.hours(own, self.scene.at, self.scene.at + 1e-6) > 0.0

    # -- failures --------------------------------------------------------------------------------
    def _failures(self) -> dict[str, Row]:
        found: dict[str, Row] = {}
        down: list[tuple[float, str, Failure]] = []
        for name, blank in self.scene.actors.items():
            if not name.startswith("failure "):
                continue
            asset, _, cause = name[8:].rpartition("/")
            row = self._failure_row(asset, cause)
            known = self.work.causes.get(f"{asset}/{cause}")
            if row is None:
                found[name] = blank
            elif known is not None and known["down"] is not None:
                down.append((known["down"], name, row))
            else:
                found[name] = self._up(blank, asset, row, known)
        freed = self._freed()
        busy: dict[str, int] = {}
        for since, name, row in sorted(down, key=lambda item: item[:2]):
            found[name] = self._down(name, row, since, busy, freed)
        return found

    def _failure_row(self, asset: str, cause: str) -> Failure | None:
        for row in self.scene.network.failures.values():
            if row.cause == cause and asset.replace("/", ":") in (
                    row.asset, row.asset.replace("/", ":")):
                return row
        return next((row for row in self.scene.network.failures.values()
                     if row.cause == cause and row.asset == asset.split("#")[0]), None)

    def _age(self, asset: str, row: Failure, known: Row | None) -> float:
        """Hours since renewal, by the clock that counts for a cause."""
        at = self.scene.at
        machine = asset in self.work.tables
        if row.clock == "operating" and (machine or asset in self.scene.trucks.homes):
            worked = self.work.worked(asset, at) if machine else self.scene.trucks.driven(asset, at)
            return worked - (known["worked"] if known else 0.0)
        return at - (known["renewed"] if known else 0.0)

    def _up(self, blank: Row, asset: str, row: Failure, known: Row | None) -> Row:
        return {**blank, "phase": "up", "age": self._age(asset, row, known), "since": 0.0,
                "servicing": False, "forced": None}

    def _freed(self) -> dict[str, float]:
        """When each crew last ended a repair."""
        freed: dict[str, float] = {}
        for row in self.scene.network.failures.values():
            for key, known in self.work.causes.items():
                if row.crew and key.rpartition("/")[0].split("#")[0] == row.asset:
                    freed[row.crew] = max(freed.get(row.crew, 0.0), known["renewed"])
        return freed

    def _down(self, name: str, row: Failure, since: float, busy: dict[str, int],
              freed: dict[str, float]) -> Row:
        """A failure or service that is not over: waiting for a part or a crew, or being mended."""
        at, blank = self.scene.at, self.scene.actors[name]
        known = self.work.causes[name[8:]]
        state = {**blank, "age": known["age"] or 0.0, "servicing": known["service"],
                 "forced": None}
        waits = any(order["role"] == "spare" and order["came"] < order["quantity"] - EPS
                    and f"failure {order['asset']}/{order['cause']}" == name
                    for order in self.scene.goods.orders.values())
        if waits:
            return {**state, "phase": "spare", "since": at - since, "left": 0.0}
        begun = since
        if row.crew:
            crew = self.scene.network.crews[row.crew]
            if busy.get(row.crew, 0) >= crew.size:
                return {**state, "phase": "waiting", "since": at - since, "left": 0.0}
            busy[row.crew] = busy.get(row.crew, 0) + 1
            self.holders.setdefault(f"crew {row.crew}", []).append(name)
            if crew.size == 1:
                begun = max(since, freed.get(row.crew, 0.0))
        law = row.service_time if known["service"] else row.time_to_repair
        return {**state, "phase": "repair", "since": at - begun,
                "left": self.scene.rules.left(law, at - begun, 0.5)}
