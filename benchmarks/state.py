"""What does it cost to know a state? Any moment over ten million readings in a store.

    python benchmarks/state.py [readings] [days] [folder]

Builds a store once (events of the harbour, told by its simulation, and signals of sensors to fill
it up to so many readings), then asks for several moments: the first time days are folded, after
that a checkpoint and the rest of a day. The last line is JSON.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

import twin
from twin.commands.rules import SimulationRules
from twin.commands.state import fresh_state
from twin.kinds import FIELDS
from twin.ledger import Ledger
from twin.network import Network
from twin.readings import to_frame
from twin.scenario import Scenario
from twin.sense.knowledge import know
from twin.simulate import play
from twin.store import Store
from twin.witness import readings_of_ledger

if TYPE_CHECKING:
    from run import Finding

_SENSORS = 60
_SIGNALS = """
    select 'sensor ' || (i % {sensors}) as sensor, i::varchar as id,
           {start} + (i // {sensors}) * {step} as time,
           {start} + (i // {sensors}) * {step} as recorded,
           case i % {sensors} % 3 when 0 then 'temperature' when 1 then 'vibration'
                else 'position' end as kind,
           case i % {sensors} % 3 when 0 then 'north_dc:cold_room' when 1 then 'bottling_line'
                else 'north_van' end as asset,
           case i % {sensors} % 3 when 2 then 'nan'::double
                else 4 + 3 * sin(i / 977) end as value,
           case i % {sensors} % 3 when 2 then 52.0 + (i % 1000) / 2000 else 'nan'::double end
                as latitude,
           case i % {sensors} % 3 when 2 then 6.0 + (i % 1000) / 2000 else 'nan'::double end
                as longitude
    from range({count}) t(i)
"""


def build(network: Network, store: Store, readings: int, days: int) -> int:
    """Fill a store, day by day; how many readings it holds."""
    ledger = Ledger()
    play(network, Scenario.baseline(), horizon_h=24.0 * days, seed=1, ledger=ledger)
    events = to_frame(readings_of_ledger(ledger, network.start))
    a_day = (readings - len(events)) // days // _SENSORS * _SENSORS
    for day in range(days):
        start = network.start.timestamp() + 86_400.0 * day
        mine = events[(events["time"] >= start) & (events["time"] < start + 86_400.0)]
        _write(store, start, mine, a_day)
    return len(events) + a_day * days


def _write(store: Store, start: float, events: Any, count: int) -> None:
    """One day's file, in the order of the store."""
    from twin.store import day_of

    folder = store.folder / "days"
    folder.mkdir(parents=True, exist_ok=True)
    signals = _SIGNALS.format(sensors=_SENSORS, start=start, count=count,
                              step=86_400.0 / max(1, count // _SENSORS))
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    filled = ", ".join(
        f"coalesce(s.\"{name}\", '') as \"{name}\"" if field.type == "s" and name in _SAID
        else f's."{name}"' if name in _SAID
        else f"'' as \"{name}\"" if field.type == "s" else f"'nan'::double as \"{name}\""
        for name, field in FIELDS.items())
    with duckdb.connect() as base:
        base.register("events", events)
        base.execute(f"copy (select {columns} from (select {columns} from events union all "
                     f"select {filled} from ({signals}) s) order by time, sensor, id) to "
                     f"'{folder / day_of(start).isoformat()}.parquet' (format parquet, "
                     "compression zstd, row_group_size 100000)")


_SAID = ("sensor", "id", "time", "recorded", "kind", "asset", "value", "latitude", "longitude")


def ask(store: Store, network: Network, days: int, moments: int = 9) -> dict[str, Any]:
    """Seconds to know several moments: first, and once checkpoints stand."""
    rules, fresh = SimulationRules(network), fresh_state(network)
    zero = network.start.timestamp()
    began = time.perf_counter()
    known = know(store, network, zero + 86_400.0 * (days - 0.01), rules=rules, fresh=fresh)
    first = time.perf_counter() - began
    dice = random.Random(1)
    spent = []
    for _ in range(moments):
        at = zero + 86_400.0 * dice.uniform(0.5, days)
        began = time.perf_counter()
        know(store, network, at, rules=rules, fresh=fresh)
        spent.append(time.perf_counter() - began)
    began = time.perf_counter()
    again = know(store, network, zero + 86_400.0 * (days - 0.01), rules=rules, fresh=fresh)
    last = time.perf_counter() - began
    assert again.digest() == known.digest()
    return {"first_s": round(first, 2), "median_s": round(statistics.median(spent), 3),
            "worst_s": round(max(spent), 3), "now_s": round(last, 3), "facts": len(known.facts)}


def state(repeats: int) -> Iterator[Finding]:
    """Two million readings of a week: a tenth of the store of the page, for a shared machine."""
    from run import Finding

    with tempfile.TemporaryDirectory() as temporary:
        network = twin.read_model("harbour")
        store = Store(Path(temporary) / "harbour")
        held = build(network, store, 2_000_000, 7)
        told = ask(store, network, 7, moments=5)
    yield Finding("a state at any moment, 2,000,000 readings: seconds, median", told["median_s"],
                  unit=" s", note=f"{held:,} readings, worst {told['worst_s']} s")
    yield Finding("  seconds at first, without checkpoints", told["first_s"], unit=" s")


def main(readings: int = 10_000_000, days: int = 30, folder: str = "") -> None:
    """Measure, and print one line of JSON."""
    network = twin.read_model("harbour")
    with tempfile.TemporaryDirectory() as temporary:
        store = Store(Path(folder or temporary) / "harbour")
        began = time.perf_counter()
        held = build(network, store, readings, days)
        print(f"{held:,} readings of {days} days in {time.perf_counter() - began:.0f} s",
              file=sys.stderr)
        print(json.dumps({"readings": held, "days": days, **ask(store, network, days)}))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]), *sys.argv[3:4])
