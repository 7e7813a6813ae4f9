"""The twin's side: the same worlds from the same tables as a planner's, played by `twin`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from contestant import serve
from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate import play
from worlds import Line, Shops

BASELINE = Scenario(name="baseline")


def shops_network(world: Shops) -> Network:
    """The tables of `Shops`."""
    sites = [{"site": "F", "kind": "supplier"}]
    stock, lanes, demand = [], [], []
    for w in range(world.warehouses):
        house = f"W{w}"
        sites.append({"site": house, "kind": "warehouse"})
        lanes.append({"origin": "F", "destination": house, "mode": "road",
                      "transit": f"constant({world.warehouse_transit}d)"})
        stock.append({"site": house, "product": "crate", "on_hand": world.warehouse_S,
                      "policy": "s_S", "reorder_point": world.warehouse_s,
                      "order_up_to": world.warehouse_S, "source": "F"})
        for r in range(world.retailers):
            shop = f"R{w}.{r}"
            sites.append({"site": shop, "kind": "warehouse"})
            lanes.append({"origin": house, "destination": shop, "mode": "road",
                          "transit": f"constant({world.retailer_transit}d)"})
            stock.append({"site": shop, "product": "crate", "on_hand": world.retailer_S,
                          "policy": "s_S", "reorder_point": world.retailer_s,
                          "order_up_to": world.retailer_S, "source": house})
            demand.append({"site": shop, "product": "crate",
                           "interarrival": f"exponential(mean={world.gap}d)"})
    return Network(sites=sites, products=[{"product": "crate"}],
                   supply=[{"site": "F", "product": "crate"}],
                   lanes=lanes, stock=stock, demand=demand)


def line_network(world: Line) -> Network:
    """The tables of `Line`."""
    steps = range(1, world.machines + 1)
    return Network(
        sites=[{"site": "P", "kind": "plant"}],
        products=[{"product": "part", "lot_size": 1}],
        groups=[{"site": "P", "group": f"G{m}"} for m in steps],
        machines=[{"machine": f"M{m}", "site": "P", "group": f"G{m}"} for m in steps],
        routings=[{"site": "P", "product": "part", "step": m, "group": f"G{m}",
                   "process_time": f"exponential(mean={world.process}h)"} for m in steps],
        demand=[{"site": "P", "product": "part",
                 "interarrival": f"exponential(mean={world.gap}h)"}],
    )


def shops(seed: int = 1, ledger: bool = False, **figures: float) -> dict[str, Any]:
    """Play `Shops`, the building of the simulated world included."""
    world = Shops(**figures)  # type: ignore[arg-type]
    network = shops_network(world)
    book = Ledger() if ledger else None
    began = perf_counter()
    sums = play(network, BASELINE, horizon_h=24 * world.days, seed=seed, ledger=book).tally.sums
    seconds = perf_counter() - began

    def total(measure: str) -> float:
        return sum(v for (name, place, _, _), v in sums.items()
                   if name == measure and place.startswith("R"))

    orders, shelf_h = total("orders"), 24 * world.days * world.warehouses * world.retailers
    result = {"seconds": seconds, "orders": orders, "fill rate": total("orders_at_once") / orders,
              "mean on hand": total("on_hand_time") / shelf_h,
              "mean backlog": total("backorder_time") / shelf_h}
    if book is not None:
        result |= {"rows": len(book), "bytes": book.nbytes}
    return result


def line(seed: int = 1, **figures: float) -> dict[str, Any]:
    """Play `Line`."""
    world = Line(**figures)  # type: ignore[arg-type]
    network = line_network(world)
    began = perf_counter()
    sums = play(network, BASELINE, horizon_h=world.hours, seed=seed).tally.sums
    seconds = perf_counter() - began

    def total(measure: str, group: str) -> float:
        return sum(v for (name, place, _, _), v in sums.items()
                   if name == measure and place == f"P/{group}")

    waits = {
        f"queue time {m}": total("queue_time", f"G{m}") / total("jobs_queued", f"G{m}")
        for m in range(1, world.machines + 1)
    }
    return {"seconds": seconds, "orders": total("jobs_queued", "G1"), **waits}


class Watched(Ledger):
    """A ledger that knows the most that it ever held: it is fullest when a chunk goes to disk."""

    most = 0

    def _spill(self) -> None:
        self.most = max(self.most, self.nbytes)
        super()._spill()


def spill(days: float, rows: int) -> dict[str, Any]:
    """Play the shops for `days` with a ledger that keeps `rows` rows and spills the rest."""
    world = Shops(days=days)
    with tempfile.TemporaryDirectory() as folder:
        book = Watched(spill_to=Path(folder), chunk=rows)
        began = perf_counter()
        play(shops_network(world), BASELINE, horizon_h=24 * days, ledger=book)
        seconds = perf_counter() - began
        written = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
        return {"seconds": seconds, "rows": len(book), "bytes": max(book.most, book.nbytes),
                "disk": written}


def workers(count: int, replications: int = 30, days: float = 1_000.0) -> dict[str, Any]:
    """The time of `twin.run` on so many worker processes, which are started beforehand."""
    import twin

    network = shops_network(Shops())
    twin.run(network, horizon="5d", replications=2 * count, workers=count)  # start them
    began = perf_counter()
    twin.run(network, horizon=f"{days}d", replications=replications, workers=count)
    return {"seconds": perf_counter() - began}


def bare(count: int, tasks: int = 30) -> dict[str, Any]:
    """The time of plain loops on so many processes: what this machine itself gains by them."""
    import joblib

    with joblib.Parallel(n_jobs=count, batch_size=1) as parallel:
        parallel(joblib.delayed(sum)(range(10)) for _ in range(2 * count))
        began = perf_counter()
        parallel(joblib.delayed(sum)(range(5_000_000)) for _ in range(tasks))
        return {"seconds": perf_counter() - began}


if __name__ == "__main__":
    serve({"shops": shops, "line": line, "spill": spill, "workers": workers, "bare": bare})
