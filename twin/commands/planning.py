"""What searches on the command line share: limits, prices, progress, the clock, opening hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twin.clock import excerpt, format_duration
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.network import Network
from twin.plan import Progress
from twin.settings import duration
from twin.state import State

_PILOTS, _PILOT_H = 4, 2160.0  #: replications that are played for lead times, and their length
_PILOT_SEED = 3_000_017  #: of their luck, apart from that of searches and replays


def seconds(value: str) -> float:
    """Seconds of a limit such as ``10s``."""
    found = duration(value) * 3600.0
    if not 0.0 < found <= 86_400.0:
        raise ValueError(f"'{excerpt(value)}' is no limit. Write a time such as 10s.")
    return found


def from_zero(what: str, below: float) -> Callable[[str], float]:
    """Reads a number from 0 up; `what` it is stands in the message.

    Examples
    --------
    >>> from_zero("price", 1e9)("2.5")
    2.5
    """
    def read(value: str) -> float:
        try:
            found = float(value)
        except ValueError:
            found = -1.0
        if not 0.0 <= found < below:
            raise ValueError(f"'{excerpt(value)}' is no {what}. Write a number from 0 up.")
        return found
    return read


price = from_zero("price", 1e9)


def progress_of(screen: Screen) -> Callable[[Progress], None]:
    """Shows incumbent and bound as they change."""
    def watch(seen: Progress) -> None:
        if seen.objective is not None:
            bound = "no bound yet" if seen.bound is None else f"bound {seen.bound:,.4g}"
            screen.note(f"{seen.seconds:6.1f} s  best {seen.objective:,.4g}, {bound}")
    return watch


def clock_of(time: float) -> str:
    """A time of the model, to the minute."""
    return format_duration(round(time * 60.0) / 60.0)


def open_hours(network: Network) -> Callable[[str, str, float, float],
                                             Sequence[tuple[float, float]]]:
    """Opening hours as the simulation keeps them."""
    from twin.simulate.calendar import Calendar, calendars_of

    shifts = calendars_of(network)
    made: dict[tuple[str, str], Calendar] = {}

    def hours(name: str, site: str, start: float, end: float) -> list[tuple[float, float]]:
        zone = network.sites[site].timezone
        calendar = made.setdefault((name, zone), Calendar(shifts.get(name, []), network.start,
                                                          zone))
        return list(calendar.spans(start, end))

    return hours


def played_leads(network: Network, state: State | None, seed: int,
                 workers: int | None = None) -> dict[tuple[str, str], float]:
    """Mean hours from an order of a shelf to its receipt, as they are played from a state.

    Little's law: units on order over units received in an hour. Waiting for machines, shifts,
    trucks, docks and for goods that are short is in them.
    """
    from twin.experiment import Task, perform
    from twin.scenario import Scenario
    from twin.simulate.replications import replicate
    from twin.targets import fit

    if not network.stock:
        return {}
    today = fit(Scenario.baseline(), network)
    warmup_h = network.warmup if state is None else 0.0
    tallies = [played.tally for played in replicate(perform, [
        Task("pilot", network, today, warmup_h + _PILOT_H, warmup_h, seed + _PILOT_SEED, number,
             state=state) for number in range(_PILOTS)], workers=workers)]
    found = {}
    for node in network.stock:
        coming, come = (sum(tally.total(measure, *node) for tally in tallies)
                        for measure in ("on_order_time", "units_received"))
        if coming > 0.0 and come > 0.0:
            found[node] = coming / come
    return found


def leads_asked(call: Call, asked: Mapping[str, Any], network: Network, state: State | None
                ) -> dict[tuple[str, str], float]:
    """Lead times as they are played with the seed and the workers that were asked for."""
    with call.screen.working("Playing how long goods take"):
        return played_leads(network, state, asked["seed"], asked["simulate.workers"])
