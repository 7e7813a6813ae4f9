"""Which rows of a ledger, and which signals, tell of which table cells.

Each function takes the evidence and yields pairs of a cell and a batch of observations.
"""

from collections.abc import Callable, Iterator

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.observations.breakdowns import lives, repairs, services
from twin.calibrate.observations.customers import gaps, sizes
from twin.calibrate.observations.fuel import burns, fuels
from twin.calibrate.observations.operations import (
    branches,
    delays,
    process_times,
    setup_times,
    unit_times,
    yields,
)
from twin.calibrate.observations.shipments import (
    damages,
    transits,
    wrong_papers,
)
from twin.calibrate.observations.signals import dock_times, record_delays, record_errors
from twin.calibrate.observations.supplies import fills, lead_times
from twin.calibrate.observations.trucks import speed_factors, speeds
from twin.calibrate.sample import Batch

Observer = Callable[[Evidence], Iterator[tuple[Cell, Batch]]]

#: What a stream can observe, by name.
OBSERVERS: dict[str, Observer] = {each.__name__: each for each in (
    branches, burns, damages, delays, dock_times, fills, fuels, gaps, lead_times, lives,
    process_times, record_delays, record_errors, repairs, services, setup_times, sizes,
    speed_factors, speeds, transits, unit_times, wrong_papers, yields)}

__all__ = ["OBSERVERS", "Observer"]
