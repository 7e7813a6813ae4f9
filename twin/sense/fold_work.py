"""Work, folded from history: lots on their way through plants, what machines do, and their wear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.network import Network, Step
from twin.sense.fold_crews import Crews
from twin.sense.fold_goods import Goods
from twin.sense.fold_rules import Rules
from twin.sense.fold_shelves import EPS, mark
from twin.sense.history import Event


class Work:
    """Takes rows of history about plants and failures."""

    def __init__(self, network: Network, goods: Goods, rules: Rules) -> None:
        self.network, self.goods, self.rules = network, goods, rules
        self.jobs: dict[int, dict[str, Any]] = {}
        self.machines: dict[str, dict[str, Any]] = {}
        self.causes: dict[str, dict[str, Any]] = {}
        self.crews = Crews(network, rules)
        self.of_order: dict[int, list[int]] = {}  #: lots of each order
        self.next_job = 1
        self.forced = False  #: nothing of this instant is still to come
        self.steps: dict[tuple[str, str], list[Step]] = {}
        for row in sorted(network.routings.values(), key=lambda row: row.step):
            self.steps.setdefault((row.site, row.product), []).append(row)
        self.tables: dict[str, Any] = {}
        for machine in network.machines.values():
            for number in range(1, machine.units + 1):
                name = machine.machine if machine.units == 1 else f"{machine.machine}#{number}"
                self.tables[name] = machine

    # -- records ---------------------------------------------------------------------------------
    def machine(self, name: str, row: Event | None = None) -> dict[str, Any]:
        """What is known of a machine; one of which nobody has told is idle."""
        found = self.machines.get(name)
        if found is None:
            found = self.machines[name] = {
                "phase": "idle", "jobs": [], "since": 0.0, "family": None, "before": None,
                "worked": 0.0, "run": None, "stopped": {}, "site": row.site if row else ""}
        if row is not None:
            mark(found, row)
        return found

    def _job(self, row: Event, phases: Sequence[str], place: int | None = None, *,
             machine: str = "", towards: int | None = None) -> tuple[int, dict[str, Any]] | None:
        """The lot of an order that a row speaks of: of its size, on its way there, the first."""
        best: tuple[tuple[bool, bool, float], int] | None = None
        for number in self.of_order.get(row.order, ()):
            job = self.jobs[number]
            if job["phase"] not in phases or (job["site"], job["product"]) != (
                    row.site, row.product) or (machine and job["machine"] != machine) \
                    or (place is not None and job["place"] != place):
                continue
            same = abs(job["units"] - row.quantity) <= EPS * max(1.0, row.quantity)
            key = (not same, towards is not None and job["place"] != towards, job["since"])
            if best is None or key < best[0]:
                best = key, number
        return None if best is None else (best[1], self.jobs[best[1]])

    def _begin(self, row: Event, place: int, phase: str) -> tuple[int, dict[str, Any]]:
        number, self.next_job = self.next_job, self.next_job + 1
        job = self.jobs[number] = {
            "site": row.site, "order": row.order, "product": row.product, "units": row.quantity,
            "place": place, "phase": phase, "since": row.time, "released": row.time,
            "begun": row.time, "machine": "", "worked": None, "parts": []}
        mark(job, row)
        self.of_order.setdefault(row.order, []).append(number)
        return number, job

    def _place(self, row: Event) -> int | None:
        """Which step of a routing an asset named site/product/step is; None for a machine."""
        step = row.asset.rpartition("/")[2]
        if row.asset != f"{row.site}/{row.product}/{step}":
            return None
        return next((place for place, found in enumerate(
            self.steps.get((row.site, row.product), ())) if str(found.step) == step), None)

    def step(self, job: dict[str, Any]) -> Step | None:
        """The step at which a lot is; None past the last."""
        steps = self.steps.get((job["site"], job["product"]), [])
        return steps[job["place"]] if job["place"] < len(steps) else None

    # -- lots ------------------------------------------------------------------------------------
    def transforming(self, row: Event) -> bool:
        """A lot has all its components and begins."""
        number, job = self._begin(row, 0, "new")
        for lines in self.lines(row.product, row.site):
            for asked, order in self.goods.orders.items():
                if order["role"] == "component" and order["parent"] == row.order \
                        and not order["job"] and any(
                            order["product"] == line.component
                            and abs(order["quantity"] - line.quantity * row.quantity)
                            <= EPS * max(1.0, order["quantity"]) for line in lines):
                    order["job"] = str(number)
                    job["parts"].append(asked)
                    job["released"] = min(job["released"], order["time"])
                    break
        return True

    def lines(self, product: str, site: str) -> list[list[Any]]:
        """The components of a product; alternatives stand together."""
        lines: dict[tuple[str, str], list[Any]] = {}
        for line in self.network.bom.values():
            if line.product == product and line.site in ("", None, site):
                key = ("group", line.alternative) if line.alternative else ("one", line.component)
                lines.setdefault(key, []).append(line)
        return list(lines.values())

    def queueing(self, row: Event) -> bool:
        """A lot comes to a work centre."""
        place = self._place(row)
        if place is None:
            return True
        found = self._job(row, ("new", "held"), towards=place)
        if found is None and not self.forced:
            return False
        _, job = found or self._begin(row, place, "queue")
        mark(job, row)
        job |= {"place": place, "phase": "queue", "since": row.time, "machine": "",
                "worked": None}
        return True

    def starting(self, row: Event) -> bool:
        """An operation starts: on a machine, or at a step that needs none."""
        place = self._place(row)
        if place is not None:
            found = self._job(row, ("new", "held"), towards=place)
            if found is None and not self.forced:
                return False
            _, job = found or self._begin(row, place, "delay")
            mark(job, row)
            job |= {"place": place, "phase": "delay", "since": row.time, "begun": row.time,
                    "machine": ""}
            return True
        machine = self.machine(row.asset)
        number = self._take(row, machine)
        if number is None:
            return False
        job = self.jobs[number]
        mark(machine, row)
        mark(job, row)
        if job["worked"] is None and job["phase"] != "setup":
            job["begun"] = row.time
        job |= {"phase": "machine", "machine": row.asset}
        machine |= {"phase": "busy", "since": row.time, "family": self._family(job)}
        if machine["run"] is None and not machine["stopped"]:
            machine["run"] = row.time
            self.crews.start(row.asset, row.time)
        return True

    def _take(self, row: Event, machine: dict[str, Any]) -> int | None:
        """The lot that a machine starts or is set up for; None if it may come in a moment.

        Lots that it worked on until now have ended, or else they are interrupted.
        """
        if not self.forced and any(
                self.jobs[number]["phase"] == "machine" and machine["since"] < row.time
                for number in machine["jobs"]):
            return None
        number = self._on(row, machine)
        if number is not None:
            self._interrupt(machine, row)
        return number

    def _on(self, row: Event, machine: dict[str, Any]) -> int | None:
        """The lot that a machine starts, put on it; None if there may be one in a moment."""
        for number in machine["jobs"]:
            if self.jobs[number]["phase"] == "setup" and self.jobs[number]["order"] == row.order:
                return int(number)
        group = self._group(row.asset)
        found = None
        for place, step in enumerate(self.steps.get((row.site, row.product), ())):
            if step.group == group:
                found = found or self._job(row, ("queue",), place)
        if found is None:
            if not self.forced:
                return None
            found = self._job(row, ("new", "held"))  # nobody told that it came to the machine
            least = 0 if found is None else found[1]["place"]
            fit = [place for place, step in enumerate(self.steps.get(
                (row.site, row.product), ())) if step.group == group]
            place = next((place for place in fit if place >= least), fit[0] if fit else 0)
            if found is None:
                found = self._begin(row, place, "queue")
            found[1]["place"] = place
        machine["jobs"].append(found[0])
        return found[0]

    def _group(self, machine: str) -> str:
        table = self.tables.get(machine)
        return table.group if table is not None else ""

    def _family(self, job: dict[str, Any]) -> str:
        step = self.step(job)
        return (step.setup_family or step.product) if step is not None else str(job["product"])

    def _interrupt(self, machine: dict[str, Any], row: Event) -> None:
        """Lots that a machine worked on before it starts others have been interrupted."""
        for number in list(machine["jobs"]):
            job = self.jobs[number]
            if job["phase"] == "machine" and machine["since"] < row.time:
                hours = self.worked_now(row.asset, machine, row.time)
                job["worked"] = (job["worked"] or 0.0) + hours
                job |= {"phase": "queue", "machine": ""}
                machine["jobs"].remove(number)
        if machine["phase"] == "busy" and not machine["jobs"]:
            self._rest(row.asset, machine, row.time)

    def setup(self, row: Event) -> bool:
        """A machine is set up for lots."""
        machine = self.machine(row.asset)
        number = self._take(row, machine)
        if number is None:
            return False
        job = self.jobs[number]
        mark(machine, row)
        job |= {"phase": "setup", "machine": row.asset, "begun": row.time}
        family = self._family(job)
        if machine["phase"] != "setup":
            machine["before"], machine["family"] = machine["family"], family
        machine |= {"phase": "setup", "since": row.time}
        return True

    def completing(self, row: Event) -> bool:
        """An operation ends; where the lot goes next is told by what follows."""
        place = self._place(row)
        if place is not None:
            found = self._job(row, ("delay",), place)
        else:
            found = self._job(row, ("machine",), machine=row.asset)
        if found is None:
            if self.forced and place is None:
                self._leave(row.asset, 0, row)
            return self.forced
        number, job = found
        mark(job, row)
        job |= {"phase": "held", "since": row.time, "place": job["place"] + 1, "worked": None}
        if place is None:
            self._leave(row.asset, number, row)
        return True

    def _leave(self, name: str, number: int, row: Event) -> None:
        machine = self.machine(name, row)
        if number in machine["jobs"]:
            machine["jobs"].remove(number)
        if not machine["jobs"]:
            self._rest(name, machine, row.time)
            machine |= {"phase": "idle", "since": row.time}

    def scrapping(self, row: Event) -> bool:
        """Units of a lot are lost."""
        found = [(number, self.jobs[number]) for number in self.of_order.get(row.order, ())]
        found = [(number, job) for number, job in found if job["phase"] == "held"
                 and job["product"] == row.product and job["units"] >= row.quantity - EPS]
        if not found:
            return self.forced
        number, job = max(found, key=lambda pair: (pair[1]["since"], -pair[0]))
        job["units"] -= row.quantity
        order = self.goods.orders.get(row.order)
        if order is not None:  # made again when a lot of the order ends
            order["scrapped"] = order.get("scrapped", 0.0) + row.quantity
        if job["units"] <= EPS:
            self._end(number)
        return True

    def ended(self, row: Event) -> bool:
        """A lot is made."""
        if (row.site, row.product) not in self.steps:
            return True
        found = self._job(row, ("held",))
        if found is None:
            return self.forced or not self._job(row, ("machine", "delay"))
        self._end(found[0])
        return True

    def _end(self, number: int) -> None:
        for asked in self.jobs[number]["parts"]:
            self.goods.orders.pop(asked, None)
        job = self.jobs.pop(number)
        order = self.goods.orders.get(job["order"])
        if order is not None:
            order["scrapped"] = 0.0
        self.of_order[job["order"]].remove(number)
        if not self.of_order[job["order"]]:
            del self.of_order[job["order"]]

    # -- hours of work ---------------------------------------------------------------------------
    def calendars(self, name: str, step: Step | None = None) -> list[tuple[str, str]]:
        """The calendars within which a machine works: its own and those of its crews."""
        table = self.tables.get(name)
        if table is None:
            return []
        site = self.network.sites.get(table.site)
        own = table.calendar or (site.calendar if site is not None else None)
        found = [(own, table.site)] if own else []
        for crew in {table.crew, step.crew if step is not None else None} - {None}:
            row = self.network.crews.get(crew or "")
            if row is not None and row.calendar:
                found.append((row.calendar, row.site or ""))
        return list(dict.fromkeys(found))

    def worked_now(self, name: str, machine: dict[str, Any], now: float) -> float:
        """Hours of work since the machine last went on."""
        if machine["run"] is None:
            return 0.0
        shared = self.crews.hours(name, now)
        if shared is not None:
            return shared
        step = self.step(self.jobs[machine["jobs"][0]]) if machine["jobs"] else None
        return self.rules.hours(self.calendars(name, step), machine["run"], now)

    def _rest(self, name: str, machine: dict[str, Any], now: float) -> None:
        """A stretch of work is over."""
        machine["worked"] += self.worked_now(name, machine, now)
        machine["run"] = None
        self.crews.end(name, now)

    def worked(self, name: str, now: float) -> float:
        """Hours that a machine has worked in its life."""
        machine = self.machines.get(name)
        return 0.0 if machine is None else machine["worked"] + self.worked_now(name, machine, now)

    # -- failures --------------------------------------------------------------------------------
    def stop(self, row: Event, driven: float) -> bool:
        """Something breaks down; a machine's work stands still."""
        for name in self._machines_of(row.asset):
            machine = self.machine(name, row)
            if not machine["stopped"] and machine["run"] is not None:
                self._carry(name, machine, row.time)
                machine["run"] = None
                self.crews.end(name, row.time)
            machine["stopped"][f"{row.asset}/{row.cause}"] = row.time
        cause = self._cause(row)
        mark(cause, row)
        cause |= {"down": row.time, "service": row.cause == "service",
                  "age": max(self.worked(row.asset, row.time), driven) - cause["worked"]}
        return True

    def _carry(self, name: str, machine: dict[str, Any], now: float) -> None:
        """Put the hours of a stretch on the machine and on the lots it works on."""
        hours = self.worked_now(name, machine, now)
        machine["worked"] += hours
        for number in machine["jobs"]:
            job = self.jobs[number]
            if job["phase"] == "machine":
                job["worked"] = (job["worked"] or 0.0) + hours

    def restart(self, row: Event, driven: float) -> bool:
        """Something works again, as new for the cause that is gone."""
        for name in self._machines_of(row.asset):
            machine = self.machine(name, row)
            for word in (row.cause, "service"):
                if machine["stopped"].pop(f"{row.asset}/{word}", None) is not None:
                    break
            if not machine["stopped"] and machine["phase"] == "busy":
                machine["run"] = row.time
                self.crews.ask(name, row.time)
        cause = self._cause(row)
        mark(cause, row)
        cause |= {"down": None, "service": False, "renewed": row.time, "age": None,
                  "worked": max(self.worked(row.asset, row.time), driven)}
        return True

    def _machines_of(self, asset: str) -> list[str]:
        """The machines that stop with an asset: itself, or all of a site."""
        if asset in self.tables:
            return [asset]
        return [name for name, table in self.tables.items() if table.site == asset]

    def _cause(self, row: Event) -> dict[str, Any]:
        """The cause of failure that a row speaks of."""
        name = row.cause
        if name == "service":
            name = next((failure.cause for failure in self.network.failures.values()
                         if failure.asset in (row.asset, row.asset.split("#")[0])
                         and failure.service_after is not None), name)
        return self.causes.setdefault(f"{row.asset}/{name}", {
            "down": None, "service": False, "renewed": 0.0, "worked": 0.0, "age": None})
