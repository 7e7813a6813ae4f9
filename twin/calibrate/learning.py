"""From evidence to a calibration: every stream observed, every cell learned, all of it told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from twin.calibrate.estimator import Cell, Estimate, Estimator
from twin.calibrate.evidence import Evidence
from twin.calibrate.observations import OBSERVERS
from twin.calibrate.pooling import pooled
from twin.calibrate.regime import Change, changes
from twin.calibrate.sample import Batch
from twin.calibrate.streams import ESTIMATORS, Stream
from twin.network import ModelError, Network
from twin.parameters import Calibration, Parameter


@dataclass(frozen=True)
class Learned:
    """What was learned from evidence.

    Attributes
    ----------
    calibration
        A row for each cell of which something was seen.
    estimates
        The same with everything that was worked out, by cell.
    batches
        The observations of each cell, for pictures and residuals.
    changes
        Cells whose recent observations contradict older ones.
    unheard
        Streams that found nothing to observe.
    refused
        Cells whose value the model could not take, with the reason.
    """

    calibration: Calibration
    estimates: dict[str, Estimate] = field(repr=False)
    batches: dict[str, Batch] = field(repr=False)
    changes: tuple[Change, ...] = ()
    unheard: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def observe(evidence: Evidence, streams: Iterable[Stream]) -> dict[Stream, dict[Cell, Batch]]:
    """The observations of each stream, by cell; pools are words of a stream."""
    found: dict[Stream, dict[Cell, Batch]] = {}
    for stream in streams:
        cells: dict[Cell, list[Batch]] = {}
        for cell, batch in OBSERVERS[stream.observe](evidence):
            if len(batch):
                cells.setdefault(replace(cell, pool=cell.pool if stream.pool else ""),
                                 []).append(batch)
        found[stream] = {cell: Batch.joined(parts) for cell, parts in cells.items()}
    return found


def learn(evidence: Evidence, streams: Sequence[Stream], *, name: str, as_of: str,
          source: str = "", since: float | None = None, false_alarms: float = 0.01) -> Learned:
    """Learn every cell that the evidence tells of.

    Parameters
    ----------
    evidence, streams
        What happened, and how to look at it.
    name, as_of, source
        Of the calibration; `as_of` is a date in words.
    since
        Observations that began earlier do not count, hours after the model's start.
    false_alarms
        Chance that a change is told of though nothing changed, over all cells.
    """
    estimators: dict[type[Estimator], list[Estimator]] = {}
    batches: dict[str, Batch] = {}
    titles: dict[str, str] = {}
    unheard = []
    for stream, cells in observe(evidence, streams).items():
        if not cells:
            unheard.append(stream.name)
        kind = ESTIMATORS[stream.estimator]
        start = _start(evidence, stream, since)
        for cell, batch in cells.items():
            batch = batch.of_rows(batch.at >= start)
            if not len(batch):
                continue
            estimator = kind(cell, since=start, half_life=stream.half_life)
            estimator.update(batch)
            estimators.setdefault(kind, []).append(estimator)
            batches[str(cell)] = batch
            titles[str(cell)] = stream.name
    estimates = [estimate for kind, those in estimators.items()
                 for estimate in kind.learn(those, evidence.now)]
    estimates = [estimate for estimate in pooled(estimates) if estimate.n > 0.0]
    estimates.sort(key=lambda estimate: str(estimate.cell))
    rows, refused = _fitting(evidence.network, [
        _told(estimate.parameter(as_of), titles[str(estimate.cell)]) for estimate in estimates])
    calibration = Calibration(name, f"Learned from {source}" if source else "Learned",
                              as_of=as_of, source=source, rows=tuple(rows))
    return Learned(calibration, {str(estimate.cell): estimate for estimate in estimates}, batches,
                   tuple(changes(batches, false_alarms)), tuple(unheard), tuple(refused))


def _start(evidence: Evidence, stream: Stream, since: float | None) -> float:
    starts = [since, None if stream.since_h is None else evidence.now - stream.since_h]
    return max((start for start in starts if start is not None), default=float("-inf"))


def _told(row: Parameter, stream: str) -> Parameter:
    return replace(row, source=f"{stream}: {row.source}")


def _fitting(network: Network, rows: list[Parameter]) -> tuple[list[Parameter], list[str]]:
    """The rows that the model can take, and why the others cannot be taken."""
    try:
        Calibration("all", rows=tuple(rows)).apply(network)
        return rows, []
    except ModelError:
        kept, refused = [], []
        for row in rows:
            try:
                Calibration("one", rows=(row,)).apply(network)
                kept.append(row)
            except ModelError as error:
                refused.append(f"{row.cell}: {error.problems[0]}")
        return kept, refused
