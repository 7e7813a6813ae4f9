"""Hand-written SimPy: what an expert writes for one network, and the bare loop under it.

`shops` is plain SimPy with callbacks: no process a customer, random numbers drawn in blocks, and
the same KPIs kept as running sums: fill rate, time integrals of units on hand and of backlog.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from time import perf_counter
from typing import Any

import numpy as np
import simpy
from simpy.events import Timeout

from contestant import serve
from worlds import Line, Shops

BLOCK = 1024


def exponential(seed: int, stream: int, mean: float) -> Callable[[], float]:
    """Exponential draws from a stream of its own, a block at a time."""
    generator = np.random.default_rng((seed, stream))

    def blocks() -> Generator[float, None, None]:
        while True:
            yield from generator.exponential(mean, BLOCK).tolist()

    return blocks().__next__


class Shelf:
    """Stock of one place under (s, S); orders that it cannot fill wait, first come first served."""

    __slots__ = ("backlog", "backlog_moment", "env", "level", "moment", "on_order", "s", "source",
                 "target", "transit", "waiting")

    def __init__(self, env: simpy.Environment, s: int, target: int, transit: float,
                 source: Shelf | None) -> None:
        self.env, self.s, self.target, self.transit, self.source = env, s, target, transit, source
        self.level, self.on_order, self.backlog = float(target), 0.0, 0.0
        self.moment = self.backlog_moment = 0.0
        self.waiting: deque[list[Any]] = deque()  # [quantity, who ships it]

    def take(self, quantity: float, ship: Callable[[float], None] | None) -> float:
        """Serve what is there, book the rest; what was served at once."""
        now = self.env.now
        level = self.level
        served = quantity if level >= quantity else level
        if served:
            self.level = level - served
            self.moment -= served * now
            if ship is not None:
                ship(served)
        if served < quantity:
            rest = quantity - served
            self.waiting.append([rest, ship])
            self.backlog += rest
            self.backlog_moment += rest * now
        if self.level + self.on_order - self.backlog <= self.s:
            self.replenish()
        return served

    def replenish(self) -> None:
        quantity = self.target - (self.level + self.on_order - self.backlog)
        self.on_order += quantity
        if self.source is None:
            self.shipped(quantity)
        else:
            self.source.take(quantity, self.shipped)

    def shipped(self, quantity: float) -> None:
        Timeout(self.env, self.transit, quantity).callbacks.append(self.arrived)

    def arrived(self, event: Timeout) -> None:
        quantity, now, waiting = event.value, self.env.now, self.waiting
        self.on_order -= quantity
        while waiting and quantity > 0:
            first = waiting[0]
            part = first[0] if first[0] <= quantity else quantity
            quantity -= part
            self.backlog -= part
            self.backlog_moment -= part * now
            if first[1] is not None:
                first[1](part)
            if part == first[0]:
                waiting.popleft()
            else:
                first[0] -= part
        self.level += quantity
        self.moment += quantity * now
        if self.level + self.on_order - self.backlog <= self.s:
            self.replenish()


class Customers:
    """The customers of one retailer: one unit each, at exponential gaps."""

    __slots__ = ("at_once", "env", "gap", "orders", "shelf")

    def __init__(self, env: simpy.Environment, shelf: Shelf, gap: Callable[[], float]) -> None:
        self.env, self.shelf, self.gap = env, shelf, gap
        self.orders = self.at_once = 0
        Timeout(env, gap()).callbacks.append(self.order)

    def order(self, event: Timeout) -> None:
        self.orders += 1
        if self.shelf.take(1.0, None):
            self.at_once += 1
        Timeout(self.env, self.gap()).callbacks.append(self.order)


def shops(seed: int = 1, **figures: float) -> dict[str, Any]:
    """Play `Shops`."""
    world = Shops(**figures)  # type: ignore[arg-type]
    began = perf_counter()
    env = simpy.Environment()
    retailers, customers = [], []
    for w in range(world.warehouses):
        warehouse = Shelf(env, world.warehouse_s, world.warehouse_S, world.warehouse_transit, None)
        for r in range(world.retailers):
            shelf = Shelf(
                env, world.retailer_s, world.retailer_S, world.retailer_transit, warehouse
            )
            retailers.append(shelf)
            gap = exponential(seed, w * world.retailers + r, world.gap)
            customers.append(Customers(env, shelf, gap))
    env.run(until=world.days)
    on_hand = sum(x.level * env.now - x.moment for x in retailers)
    backlog = sum(x.backlog * env.now - x.backlog_moment for x in retailers)
    orders = sum(x.orders for x in customers)
    result = {
        "orders": orders,
        "fill rate": sum(x.at_once for x in customers) / orders,
        "mean on hand": on_hand / env.now / len(retailers),
        "mean backlog": backlog / env.now / len(retailers),
    }
    return {"seconds": perf_counter() - began, **result}


def bare(processes: int, days: float, gap: float, seed: int = 1) -> dict[str, Any]:
    """So many SimPy processes that do nothing but wait for their next time."""
    began = perf_counter()
    env = simpy.Environment()
    count = 0

    def life(draw: Callable[[], float]) -> Generator[Timeout, Any, None]:
        nonlocal count
        while True:
            yield env.timeout(draw())
            count += 1

    for i in range(processes):
        env.process(life(exponential(seed, i, gap)))
    env.run(until=days)
    return {"seconds": perf_counter() - began, "events": count}


def line(seed: int = 1, **figures: float) -> dict[str, Any]:
    """Play `Line` with callbacks; for orientation."""
    world = Line(**figures)  # type: ignore[arg-type]
    began = perf_counter()
    env = simpy.Environment()
    gap = exponential(seed, 0, world.gap)
    process = [exponential(seed, 1 + m, world.process) for m in range(world.machines)]
    queues: list[deque[float]] = [deque() for _ in range(world.machines)]
    busy = [False] * world.machines
    waits, served = [0.0] * world.machines, [0] * world.machines
    last = world.machines - 1

    def arrive(event: Timeout) -> None:
        join(0)
        Timeout(env, gap()).callbacks.append(arrive)

    def join(m: int) -> None:
        if busy[m]:
            queues[m].append(env.now)
        else:
            start(m, env.now)

    def start(m: int, since: float) -> None:
        busy[m] = True
        served[m] += 1
        waits[m] += env.now - since
        Timeout(env, process[m](), m).callbacks.append(done)

    def done(event: Timeout) -> None:
        m = event.value
        busy[m] = False
        if queues[m]:
            start(m, queues[m].popleft())
        if m < last:
            join(m + 1)

    Timeout(env, gap()).callbacks.append(arrive)
    env.run(until=world.hours)
    result = {f"queue time {m + 1}": waits[m] / served[m] for m in range(world.machines)}
    return {"seconds": perf_counter() - began, "orders": served[0], **result}


if __name__ == "__main__":
    serve({"shops": shops, "bare": bare, "line": line})
