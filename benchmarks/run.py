"""All measurements, side by side in one run: ``make bench``, or ``make bench ARGS="shops line"``.

Everything is a ratio taken within a round, and medians are over rounds, since a machine is never
quiet. Only ratios are promised; the seconds beside them are for orientation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import listen
import rescheduling
import routing
import scheduling
import state
import stocking
from calibrate import calibrate
from inventory_routing import irp

from contest import Contestant, cost, ratio, rounds, typical
from worlds import Line, Shops


@dataclass(frozen=True)
class Finding:
    """One line of the table; `target` is a bound from below ('>=') or above ('<=')."""

    what: str
    value: float
    sign: str = ""
    target: float = 0.0
    unit: str = "x"
    note: str = ""

    def met(self) -> bool | None:
        """Whether the target was met; None where there is none."""
        if not self.sign:
            return None
        return self.value >= self.target if self.sign == ">=" else self.value <= self.target

    def row(self) -> str:
        """The line as text."""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met()]
        target = f"{self.sign} {self.target:g}{self.unit}" if self.sign else ""
        value = f"{self.value:,.3g}" if self.value < 1000 else f"{self.value:,.0f}"
        return f"{self.what:<58} {value + self.unit:>10} {target:>10} {verdict:>7}  {self.note}"


@contextmanager
def contest(*names: str) -> Iterator[dict[str, Contestant]]:
    """Contestants, for as long as the block lasts."""
    present = {name: Contestant(name) for name in names}
    try:
        yield present
    finally:
        for one in present.values():
            one.leave()


def agreement(played: list[dict[str, dict[str, float]]], figures: list[str]) -> str:
    """How the contestants' KPIs compare, as a note: they must play the same world."""
    parts = []
    for figure in figures:
        told = {who: typical(played, who, figure) for who in played[0] if figure in played[0][who]}
        low, high = min(told.values()), max(told.values())
        parts.append(f"{figure} {low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else
                     f"{figure} {low:.3g}-{high:.3g}")
    return ", ".join(parts)


def spread(played: list[dict[str, dict[str, float]]], figure: str) -> float:
    """Largest relative difference between contestants of the mean of a figure over the rounds."""
    told = [sum(one[who][figure] for one in played) / len(played)
            for who in played[0] if figure in played[0][who]]
    return (max(told) - min(told)) / max(told)


def shops(repeats: int) -> Iterator[Finding]:
    """One warehouse and 20 retailers over 500 days, about 50,000 customer orders."""
    with contest("twin", "loop", "supplynetpy") as who:
        played = rounds(repeats, {
            "SupplyNetPy": (who["supplynetpy"], "shops", {}),
            "loop": (who["loop"], "shops", {}),
            "twin": (who["twin"], "shops", {}),
            "twin, ledger": (who["twin"], "shops", {"ledger": True}),
        })
    micro = {name: 1e6 * median(cost(one[name]) for one in played) for name in played[0]}
    note = ", ".join(f"{name} {value:.2f}" for name, value in micro.items()) + " us an order"
    yield Finding("20 shops: faster than SupplyNetPy, KPIs on",
                  ratio(played, "SupplyNetPy", "twin"), ">=", 15, note=note)
    yield Finding("20 shops: slower than a hand-written SimPy loop", ratio(played, "twin", "loop"),
                  "<=", 2)
    yield Finding("20 shops: faster than SupplyNetPy, full ledger on",
                  ratio(played, "SupplyNetPy", "twin, ledger"), ">=", 10)
    told = agreement(played, ["fill rate", "mean on hand"])
    yield Finding("20 shops: fill rates differ by", 100 * spread(played, "fill rate"), "<=", 1, "%",
                  note=told)
    yield Finding("20 shops: mean stocks on hand differ by", 100 * spread(played, "mean on hand"),
                  "<=", 2, "%")
    yield Finding("ledger: bytes an event, resident",
                  median(one["twin, ledger"]["bytes"] / one["twin, ledger"]["rows"]
                         for one in played), "<=", 150, " B",
                  note=f"{typical(played, 'twin, ledger', 'rows'):,.0f} events")


def line(repeats: int) -> Iterator[Finding]:
    """Three machines in a row, 80 % busy, 30,000 parts."""
    with contest("twin", "ciw", "loop") as who:
        played = rounds(repeats, {
            "Ciw": (who["ciw"], "line", {}),
            "loop": (who["loop"], "line", {}),
            "twin": (who["twin"], "line", {}),
        })
    micro = {name: 1e6 * median(cost(one[name]) for one in played) for name in played[0]}
    note = ", ".join(f"{name} {value:.1f}" for name, value in micro.items()) + " us a part"
    yield Finding("3 machines in a row: faster than Ciw", ratio(played, "Ciw", "twin"), ">=", 1,
                  note=note)
    waits = [f"queue time {m}" for m in range(1, Line().machines + 1)]
    yield Finding("3 machines in a row: queue times differ by",
                  100 * max(spread(played, wait) for wait in waits), "<=", 15, "%",
                  note=agreement(played, waits) + " h; theory 3.2 h each")


def network(repeats: int) -> Iterator[Finding]:
    """2,000 sites for 60 days, about 570,000 customer orders."""
    world = {"warehouses": 100, "retailers": 19, "days": 60}
    with contest("twin", "loop", "supplynetpy") as who:
        played = rounds(max(2, repeats // 3), {
            "SupplyNetPy": (who["supplynetpy"], "shops", world),
            "loop": (who["loop"], "shops", world),
            "twin": (who["twin"], "shops", world),
        })
    micro = {name: 1e6 * median(cost(one[name]) for one in played) for name in played[0]}
    note = ", ".join(f"{name} {value:.2f}" for name, value in micro.items()) + " us an order"
    yield Finding("2,000 sites: faster than SupplyNetPy",
                  ratio(played, "SupplyNetPy", "twin"), ">=", 15, note=note)


def growth(repeats: int) -> Iterator[Finding]:
    """Cost of an order over the cost of an event of a bare SimPy loop with as many processes."""
    by_size = {10: (1, 9, 30.0), 100: (10, 9, 30.0), 2000: (200, 9, 30.0)}
    by_days = {days: (1, 20, float(days)) for days in (10, 100, 1000)}

    def relative(number: int, warehouses: int, retailers: int, days: float) -> float:
        world = Shops(warehouses=warehouses, retailers=retailers, days=days)
        turns = max(1, round(60_000 / world.orders()))  # enough orders to be timed at all
        ours, bare = 0.0, 0.0
        for turn in range(turns):
            seed = number * turns + turn + 1
            ours += cost(who["twin"].play("shops", seed=seed, warehouses=warehouses,
                                          retailers=retailers, days=days))
            bare += cost(who["loop"].play("bare", seed=seed, processes=world.sites(),
                                          days=days, gap=world.gap))
        return ours / bare

    with contest("twin", "loop") as who:
        for what, worlds in (("sites", by_size), ("days", by_days)):
            first, last = min(worlds), max(worlds)
            played = [{size: relative(number, *world) for size, world in worlds.items()}
                      for number in range(repeats + 1)][1:]
            note = "bare loops an order: " + ", ".join(
                f"{median(one[size] for one in played):.2f} at {size:,}" for size in worlds)
            yield Finding(f"cost from {first} to {last:,} {what}: rises by",
                          100 * (median(one[last] / one[first] for one in played) - 1),
                          "<=", 20, "%", note=note)


def spill(repeats: int) -> Iterator[Finding]:
    """A long run whose ledger goes to disk."""
    with contest("twin") as who:
        short = who["twin"].play("spill", days=500, rows=5_000)
        long = who["twin"].play("spill", days=2000, rows=5_000)
    yield Finding("ledger that spills: peak memory of a four times longer run",
                  long["bytes"] / max(short["bytes"], 1), "<=", 1.2,
                  note=f"{long['rows']:,} events, {long['bytes'] / 1e6:.1f} MB held at most, "
                       f"{long['disk'] / 1e6:.1f} MB on disk")


def workers(repeats: int) -> Iterator[Finding]:
    """30 replications on one and on two worker processes."""
    with contest("twin") as who:
        ratios, bare, seconds = [], [], []
        for _ in range(max(3, repeats // 2)):
            one, two = (who["twin"].play("workers", count=n)["seconds"] for n in (1, 2))
            ratios.append(one / two)
            seconds.append((one, two))
            one, two = (who["twin"].play("bare", count=n)["seconds"] for n in (1, 2))
            bare.append(one / two)
    best = min(seconds)
    yield Finding("30 replications: two workers against one", median(ratios), ">=", 1.7,
                  note=f"{best[0]:.2f} s against {best[1]:.2f} s; bare loops gain "
                       f"{median(bare):.2f}x by two processes here and now")


def ingest(repeats: int) -> Iterator[Finding]:
    """What a listener takes from a real Mosquitto to disk, beside a client that only counts."""
    turns = {"count": ("count", 60_000, 1), "hear": ("hear", 60_000, 1),
             "batch": ("hear", 4_000, 100)}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
    lost = 0.0
    with listen.mosquitto() as port:
        for number in range(max(3, repeats // 2)):
            for name in turns if number % 2 else reversed(turns):
                what, messages, batch = turns[name]
                told = listen.turn(what, port, messages, batch)
                rates[name].append((told["readings"] / told["seconds"],
                                    told["readings"] / told["core"]))
                lost += told.get("lost", 0.0)

    def over(name: str, clock: int) -> float:
        return median(ours[clock] / theirs[clock]
                      for ours, theirs in zip(rates[name], rates["count"], strict=True))

    typical = {name: median(wall for wall, _ in told) for name, told in rates.items()}
    note = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in typical.items())
    yield Finding("ingest at QoS 1 to disk: of receive-and-count", over("hear", 0), ">=", 0.5,
                  note=f"{note}; by core time {over('hear', 1):.2f}x")
    yield Finding("  100 readings a message: readings a counted message", over("batch", 0), ">=",
                  5, note=f"ten times 0.5; by core time {over('batch', 1):.1f}x")
    yield Finding("  readings lost", lost, "<=", 0, "")
    short, long = (listen.turn("replay", 0, count) for count in (300_000, 1_200_000))
    yield Finding("  memory of a day with four times the readings", long["rss"] / short["rss"],
                  "<=", 1.2, note=f"{short['rss']:.0f} MB and {long['rss']:.0f} MB")


MEASUREMENTS: dict[str, Callable[[int], Iterator[Finding]]] = {
    "shops": shops, "line": line, "network": network, "growth": growth, "spill": spill,
    "workers": workers, "calibrate": calibrate, "ingest": ingest,
    "jobshop": scheduling.jobshop, "flexible": scheduling.flexible, "setups": scheduling.setups,
    "rescheduling": rescheduling.rescheduling, "routing": routing.routing,
    "stocking": stocking.stocking, "irp": irp, "state": state.state,
}


def main() -> int:
    """Print the table; exit code 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help=f"any of {', '.join(MEASUREMENTS)}; default all")
    parser.add_argument("--repeats", type=int, default=7, help="rounds of each contest")
    asked = parser.parse_args()
    if unknown := set(asked.what) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(sorted(unknown))}; {', '.join(MEASUREMENTS)}")
    missed = 0
    print(f"{'':<58} {'measured':>10} {'target':>10}")
    for name in asked.what or MEASUREMENTS:
        try:
            for finding in MEASUREMENTS[name](asked.repeats):
                print(finding.row(), flush=True)
                missed += finding.met() is False
        except RuntimeError as trouble:
            print(f"{name}: not measured ({trouble})", flush=True)
            missed += 1
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
