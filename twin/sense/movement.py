"""Stop or move: what a vehicle does, from its speed, as a two-state hidden Markov chain."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from twin.sense.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Motion:
    """What a vehicle does.

    Attributes
    ----------
    moving
        Chance that it was on the move at the last reading.
    settled
        Readings that the last update has decided, as pairs of time and whether it moved: those
        that are older than the lag, judged by what came before and after.
    """

    moving: float = 0.5
    settled: tuple[tuple[float, bool], ...] = ()


class Movement(Statistic[tuple[float, float], Motion]):
    """Tells stops from moves by speeds, with a short delay.

    A vehicle that stands at a light is on the move, and a driver who walks around it is not. A move
    has mostly driving speeds and some standing; a stop has walking speeds at most.

    Parameters
    ----------
    stop_s, move_s
        Usual length of a stop and of a move, seconds.
    lag_s
        A reading is decided when it is so old.
    walking, driving
        Usual speeds, km/h: mean of those of a stop, median of those of a move.
    standing
        Share of a move that is spent standing.

    Examples
    --------
    >>> movement = Movement()
    >>> found = []
    >>> for step, speed in enumerate([30.0] * 20 + [1.0] * 40):
    ...     movement.update((5.0 * step, speed))
    ...     found += movement.get().settled
    >>> sum(moved for _, moved in found)
    20
    """

    hears = ("timed",)

    def __init__(self, stop_s: float = 120.0, move_s: float = 120.0, lag_s: float = 30.0,
                 walking: float = 2.5, driving: float = 22.0, standing: float = 0.25) -> None:
        self.stop_s, self.move_s, self.lag_s = stop_s, move_s, lag_s
        self.walking, self.driving, self.standing = walking, driving, standing
        #: of each undecided reading: time, fit of stop and move, filtered chance of moving
        self._open: deque[tuple[float, float, float, float]] = deque()
        self._motion = Motion()

    def update(self, heard: tuple[float, float]) -> None:
        """Take in a time (seconds) and a speed (km/h); one from before the last is dropped."""
        time, speed = heard
        if self._open and time <= self._open[-1][0]:
            self._motion = Motion(self._motion.moving)
            return
        stop, move = self._fit(speed)
        prior = 0.5
        if self._open:
            last, _, _, chance = self._open[-1]
            prior = self._carry(chance, time - last)
        chance = prior * move / (prior * move + (1.0 - prior) * stop)
        self._open.append((time, stop, move, chance))
        settled = []
        while time - self._open[0][0] >= self.lag_s and len(self._open) > 1:
            settled.append(self._decide())
            self._open.popleft()
        self._motion = Motion(chance, tuple(settled))

    def get(self) -> Motion:
        """What it does."""
        return self._motion

    def rest(self) -> list[tuple[float, bool]]:
        """The readings that are not decided yet, judged by what is known."""
        left, found = list(self._open), []
        for place in range(len(left)):
            found.append(self._decide(left[place:]))
        return found

    def _decide(self, readings: list[tuple[float, float, float, float]] | None = None,
                ) -> tuple[float, bool]:
        """The verdict on the earliest reading, by those after it (backward pass)."""
        rows = list(self._open) if readings is None else readings
        if_stop = if_move = 1.0
        for (time, _, _, _), (later, stop, move, _) in zip(
                reversed(rows[:-1]), reversed(rows[1:]), strict=True):
            start, end = self._carry(0.0, later - time), self._carry(1.0, later - time)
            stop, move = stop * if_stop, move * if_move
            if_stop = (1.0 - start) * stop + start * move
            if_move = (1.0 - end) * stop + end * move
            whole = if_stop + if_move
            if_stop, if_move = if_stop / whole, if_move / whole
        time, _, _, chance = rows[0]
        return time, chance * if_move > (1.0 - chance) * if_stop

    def _carry(self, chance: float, seconds: float) -> float:
        """Chance of moving, so many seconds after it was `chance`."""
        start, end = 1.0 / self.stop_s, 1.0 / self.move_s
        steady = start / (start + end)
        return steady + (chance - steady) * math.exp(-(start + end) * seconds)

    def _fit(self, speed: float) -> tuple[float, float]:
        """Likelihood of a speed in a stop and in a move; neither rules anything out."""
        speed = max(speed, 0.05)
        stop = math.exp(-speed / self.walking) / self.walking
        z = math.log(speed / self.driving) / 0.9
        drive = math.exp(-z * z / 2) / (speed * 0.9 * math.sqrt(2 * math.pi))
        stand = math.exp(-speed / (self.walking * 0.6)) / (self.walking * 0.6)
        return stop + 1e-5, self.standing * stand + (1.0 - self.standing) * drive + 1e-5
