"""Ciw's side of the line of machines. Only the simulation is timed, not building the network."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import ciw

from contestant import serve
from worlds import Line


def line(seed: int = 1, **figures: float) -> dict[str, Any]:
    """Play `Line`."""
    world = Line(**figures)  # type: ignore[arg-type]
    count = world.machines
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(1 / world.gap)] + [None] * (count - 1),
        service_distributions=[ciw.dists.Exponential(1 / world.process)] * count,
        number_of_servers=[1] * count,
        routing=[[1.0 if to == at + 1 else 0.0 for to in range(count)] for at in range(count)],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    began = perf_counter()
    simulation.simulate_until_max_time(world.hours)
    seconds = perf_counter() - began
    waits: dict[int, list[float]] = {}
    for record in simulation.get_all_records():
        waits.setdefault(record.node, []).append(record.waiting_time)
    return {"seconds": seconds, "orders": len(waits[1]),
            **{f"queue time {m}": sum(w) / len(w) for m, w in sorted(waits.items())}}


if __name__ == "__main__":
    serve({"line": line})
