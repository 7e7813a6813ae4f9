"""Job shops in tables: one plant, its machines, routings of single units, demand at the plant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.tally import Tally

BASELINE = Scenario.baseline()


def job_shop(routes: Mapping[str, Sequence[tuple[str | None, str]]], *,
             units: int | Mapping[str, int] = 1, group: Mapping[str, Any] | None = None,
             groups: Sequence[Mapping[str, Any]] = (), wip_cap: int | None = None,
             setup_time: str = "0h", saturated: bool = False,
             branches: Sequence[Mapping[str, Any]] = (), **tables: Any) -> Network:
    """A plant `shop` whose work centres have as many machines as `units` says, named like them.

    `routes` gives the steps 1, 2, ... of each product: work centre (None: a delay) and process
    time. `group` are the columns of every work centre, `groups` rows of single ones. `saturated`
    places one order of 1,000,000 units at the start.
    """
    centres = dict.fromkeys(name for steps in routes.values() for name, _ in steps if name)
    if group is not None:
        groups = [{"group": name, **group} for name in centres]
    if saturated:
        tables["orders"] = [{"order": "1", "site": "shop", "product": next(iter(routes)),
                             "quantity": 1_000_000}]
    return Network(
        sites=[{"site": "shop", "kind": "plant", "wip_cap": wip_cap}],
        products=[{"product": name, "lot_size": 1} for name in routes],
        machines=[{"machine": name, "site": "shop", "group": name,
                   "units": units if isinstance(units, int) else units[name]}
                  for name in centres],
        groups=[{"site": "shop", **row} for row in groups],
        routings=[{"site": "shop", "product": product, "step": number, "group": name,
                   "process_time": time, "setup_time": setup_time}
                  for product, steps in routes.items()
                  for number, (name, time) in enumerate(steps, 1)],
        branches=[{"site": "shop", **row} for row in branches],
        **tables)


def means(network: Network, hours: float, readings: Sequence[Callable[[Tally], float]], *,
          replications: int = 10, warmup: float = 0.1) -> list[float]:
    """Each reading, averaged over replications without the first tenth of each."""
    tallies = [play(network, BASELINE, horizon_h=hours, warmup_h=warmup * hours,
                    replication=number).tally for number in range(replications)]
    return [fmean(map(reading, tallies)) for reading in readings]


def wait(tally: Tally, place: str | None = None, product: str | None = None,
         stream: str | None = None) -> float:
    """Mean wait of a lot before an operation, hours."""
    return tally.total("queue_time", place, product, stream) / tally.total(
        "jobs_queued", place, product, stream)


def per_lot(tally: Tally) -> float:
    """Mean wait of a lot on its whole way through the shop, hours."""
    return tally.total("queue_time") / tally.total("lots_finished")
