"""Fidelity: how good the twin's forecasts were, from origins in the past, against naive ones.

From each origin the twin plays on from what was known then, and every KPI of the window that
follows is held against what happened. The forecast is the spread of the replications. Naive
forecasts use the past of the KPI alone: its last window, the window a season ago, or all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.measure.fidelity_record import Record
from twin.measure.intervals import Array
from twin.measure.kpis import KpiKey, kpi_arrays
from twin.measure.scoring import crps_ensemble
from twin.parameters import Calibration
from twin.state import State
from twin.tally import Tally

#: KPIs that events tell and that mean the same in a window of the real and of the played chain.
KPI_NAMES = ("demand", "otif", "order_cycle_time", "customer_backlog", "lost_share", "on_hand",
             "lead_time", "flow", "availability")
LEVELS = (0.5, 0.8, 0.95)
NAIVE = ("last", "season", "past")

StateAt = Callable[[float], State]
CalibrateUntil = Callable[[float], Calibration | None]
#: Plays on from a state: for each horizon (hours) the sums of every replication.
Play = Callable[[State, Calibration | None, Sequence[float]], Sequence[Sequence[Tally]]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One KPI at one place, forecast from one origin, and what happened.

    Attributes
    ----------
    told
        What the replications said.
    naive
        What each naive method said: an ensemble.
    """

    place: str
    kpi: str
    origin_h: float
    horizon_h: float
    actual: float
    told: Array = field(repr=False)
    naive: dict[str, Array] = field(default_factory=dict, repr=False)

    @property
    def crps(self) -> float:
        """Continuous ranked probability score, fair to a small ensemble; lower is better."""
        return _crps(self.told, self.actual)

    @property
    def error(self) -> float:
        """Forecast mean less what happened."""
        return float(self.told.mean()) - self.actual

    @property
    def pit(self) -> float:
        """Share of the replications below what happened; a tie counts by a luck of its own."""
        below = int((self.told < self.actual).sum())
        ties = int((self.told == self.actual).sum())
        name = f"{self.place}|{self.kpi}|{self.origin_h:g}|{self.horizon_h:g}"
        luck = np.random.default_rng(zlib.crc32(name.encode())).random()
        return float((below + luck * (ties + 1)) / (len(self.told) + 1))

    def naive_crps(self, name: str) -> float:
        """The score of a naive method; NaN if it had no past."""
        return _crps(self.naive[name], self.actual) if name in self.naive else float("nan")

    def inside(self, level: float) -> bool:
        """Whether the middle `level` of the forecast held what happened.

        It is judged by the rank among the replications, ties broken by luck, so that a perfect
        forecast holds exactly that share.
        """
        tail = (1.0 - level) / 2.0
        return bool(tail <= self.pit <= 1.0 - tail)

    def pinball(self, level: float) -> float:
        """Quantile loss of the forecast at a level."""
        gap = self.actual - float(np.quantile(self.told, level))
        return max(level * gap, (level - 1.0) * gap)


def backtest(record: Record, origins_h: Sequence[float], horizons_h: Sequence[float], *,
             state_at: StateAt, play: Play, calibrate_until: CalibrateUntil | None = None,
             since_h: float = 0.0, season_h: float = 168.0, kpis: Sequence[str] = KPI_NAMES,
             progress: Progress | None = None) -> Iterator[Case]:
    """Forecast from every origin and hold it against what happened.

    Parameters
    ----------
    record
        What happened.
    origins_h, horizons_h
        Moments and lengths of the windows that follow them, hours.
    state_at
        The state at a moment, from what was known then.
    play
        Plays on from a state; see `Play`.
    calibrate_until
        Parameters learned from what was known at a moment; None leaves the model's own.
    since_h
        When the record begins: naive forecasts look back no farther.
    season_h
        Length of the season of the seasonal naive forecast.

    Raises
    ------
    ValueError
        If a window ends after the record.
    """
    late = [origin for origin in origins_h if origin + max(horizons_h) > record.end_h + 24.0]
    if late:
        raise ValueError(f"origin {late[0] / 24.0:g} d with a horizon of {max(horizons_h) / 24.0:g}"
                         f" d ends after the record, which ends at {record.end_h / 24.0:.1f} d. "
                         "Ask for fewer origins or a shorter horizon.")
    for done, origin in enumerate(sorted(origins_h)):
        state = state_at(origin)
        learned = calibrate_until(origin) if calibrate_until else None
        played = play(state, learned, horizons_h)
        for horizon, tallies in zip(horizons_h, played, strict=True):
            yield from _cases(record, origin, horizon, tallies, since_h, season_h, kpis)
        if progress:
            progress(done + 1, len(origins_h))


def _cases(record: Record, origin: float, horizon: float, tallies: Sequence[Tally], since: float,
           season: float, kpis: Sequence[str]) -> Iterator[Case]:
    starts = [origin - i * horizon for i in range(int((origin - since) // horizon), 0, -1)]
    lag = -(-horizon // season) * season
    real = [record.window(start, start + horizon) for start in [*starts, origin]]
    ago = [record.window(origin - lag, origin - lag + horizon)] if origin - lag >= since else []
    told = _wanted(tallies, record, kpis)
    happened = _wanted([*ago, *real], record, kpis)
    for key in sorted(set(told) & set(happened)):
        values, actual = told[key], float(happened[key][-1])
        values = values[np.isfinite(values)]
        if not np.isfinite(actual) or len(values) < 0.5 * len(tallies) or len(values) < 2:
            continue
        before = happened[key][len(ago):-1]
        naive = _naive(before[np.isfinite(before)], happened[key][: len(ago)])
        yield Case(key[1], key[0], origin, horizon, actual, values, naive)


def _wanted(tallies: Sequence[Tally], record: Record, kpis: Sequence[str]) -> dict[KpiKey, Array]:
    return {key: values for key, values in kpi_arrays(tallies, record.network).items()
            if key[0] in kpis and not key[2] and not key[3]}


def _naive(past: Array, ago: Array) -> dict[str, Array]:
    """Ensembles of the naive methods: a value with the changes that were seen, or the values."""
    found = {}
    if len(past):
        steps = np.diff(past)
        around = np.concatenate([steps, -steps]) if len(steps) else np.zeros(1)
        found["last"] = past[-1] + around
        found["past"] = past
        if len(ago) and np.isfinite(ago[0]):
            found["season"] = ago[0] + around
    return found


def _crps(members: Array, actual: float) -> float:
    if len(members) < 2:
        return float(np.abs(members - actual).mean())
    return crps_ensemble(members, actual, fair=True)


def play_by(task: Callable[[State, Calibration | None, float, int], Any],
            tally: Callable[[Any, float, float], Tally], replications: int) -> Play:
    """A `Play` from what plays one replication and gives its events.

    Parameters
    ----------
    task
        ``task(state, calibration, horizon_h, replication)`` gives the events of one replication.
    tally
        ``tally(events, start_h, end_h)`` adds them up: `Record.tally`.
    """
    def play(state: State, learned: Calibration | None,
             horizons: Sequence[float]) -> list[list[Tally]]:
        start = state.clock_h
        events = [task(state, learned, max(horizons), i) for i in range(replications)]
        return [[tally(one, start, start + horizon) for one in events] for horizon in horizons]

    return play
