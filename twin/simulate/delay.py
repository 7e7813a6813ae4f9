"""Delays: steps of a routing that need no machine, such as drying or travelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.simulate.kernel import RECEIPT, Call

if TYPE_CHECKING:
    from twin.simulate.crew import Crew
    from twin.simulate.job import Job


class Delay:
    """One lot at a step without a machine: it takes time, and a crew if the step names one."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.plant = job.maker.plant
        self.name = f"delay {self.plant.site}/{job.number}"
        self.env = self.plant.env
        self.crew: Crew | None = job.operation.crew
        self.left = 0.0
        self.whole = 0.0
        self.call: Call | None = None
        self.begun = False
        self.off: dict[str, None] = {}

    def start(self) -> None:
        """Begin as soon as there is a crew, if one is needed."""
        self.left = self.whole = self.job.operation.hours(self.job.units, None)
        self._call_crew()

    def _call_crew(self) -> None:
        if self.crew is None or self.crew.take(self):
            self.granted()
        else:
            self.crew.ask(self, self.job.order.priority)

    def granted(self) -> None:
        """Whom it needs is there: it begins."""
        self.begun = True
        self.job.begun = self.env._now
        self._write("starting")
        self._go_on()

    def _go_on(self) -> None:
        if self.off:
            return
        if self.left <= 0.0:
            self._done(None)
        else:
            self._set()

    def _set(self) -> None:
        self.call = self.env.call(self.env._now + self.left, RECEIPT, self._done)

    def stop(self, cause: str) -> None:
        """The crew goes off duty."""
        self.off[cause] = None
        if self.call is not None:
            self.left = self.call.time - self.env._now
            self.call.cancel()
            self.call = None

    def restart(self, cause: str) -> None:
        """The crew is back."""
        if cause in self.off:
            del self.off[cause]
            self._go_on()

    def _done(self, _: Any) -> None:
        self.call = None
        self.plant.delays.pop(self.job.number, None)
        if self.crew is not None:
            self.crew.release(self)
        self._write("completing")
        self.plant.step_on(self.job)

    def _write(self, event: str) -> None:
        """Write the step down; no machine stands for it, its own name does."""
        job, ledger = self.job, self.plant.world.ledger
        if ledger is not None:
            ledger.add(self.env._now, event, site=self.plant.site, product=job.maker.product,
                       quantity=job.units, order=job.order.number, asset=job.operation.where)

    # -- state -----------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """The lot, and how much of its time has passed and is left."""
        left = self.left if self.call is None else self.call.time - self.env._now
        return {"job": self.job.number, "begun": self.begun, "left": left,
                "worked": self.whole - left}

    def resume(self, state: dict[str, Any]) -> None:
        """Take up: what is left is drawn, given what has passed, if it was drawn as a whole."""
        operation = self.job.operation
        law = operation.row.process_time
        self.left, self.begun = float(state["left"]), state["begun"]
        if (self.begun and law.kind not in ("constant", "series", "ar1")
                and (not operation.per_unit or self.job.units == 1.0)):
            self.left = self.plant.world.streams.remaining(
                f"operation {operation.where}", "process_time", law, state["worked"])
        self.whole = self.left + state["worked"]

    def go_on(self) -> None:
        """Go on where a saved state stood, once everybody is there."""
        crew = self.crew
        if self.begun and (crew is None or crew.holds(self)):
            if not self.off:
                self._set()
        elif crew is None or not crew.awaited_by(self):
            self._call_crew()
