"""Derive the tables of `medicines` from the shipment lines of the HIV-medicines programme.

    python models/medicines/derive.py --data FOLDER [--to FOLDER]

FOLDER (or the environment variable TWIN_DATA) holds ``scms_delivery/``. The same lines give the
same tables, byte for byte. `scms_lines.py` and `measured.py` measure, `assumed.py` holds every
assumption, `chain.py` and `stocking.py` put both together; `README.md` says which is which.
"""

import argparse
import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import assumed
import chain as moving
import scms_lines as scms
import stocking
from evidence import evidence
from measured import measure


def tables(chain: moving.Chain) -> dict[str, moving.Table]:
    """Every table of the model by name."""
    return {
        "sites": moving.sites(chain),
        "storage": stocking.storage(chain),
        "products": moving.products(chain),
        "bom": stocking.bom(chain),
        "supply": moving.supply(chain),
        **stocking.plants(chain),
        "calendars": [{"calendar": "driving", "day": "mon-sat", "from": "05:00", "to": "19:00"}],
        "stock": stocking.stock(chain),
        "lanes": moving.lanes(chain),
        **stocking.last_mile(),
        "emissions": [
            {"source": source, "per": per, "direct": direct, "total": total,
             "kg_per_l": 0.84 if per == "l" else ""}
            for (source, per), (direct, total) in assumed.EMISSIONS.items()
        ],
        "demand": moving.demand(chain),
        "orders": stocking.receipts(chain),
        "sensors": moving.sensors(),
    }


def write(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """One table, with every column that a row has."""
    kept = list(rows)
    columns = list(dict.fromkeys(column for row in kept for column in row))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def main() -> None:
    """Read the lines, write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("TWIN_DATA"), help="holds scms_delivery")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    if not asked.data or not (Path(asked.data) / scms.HISTORY).is_file():
        parser.error(f"{asked.data} holds no {scms.HISTORY}. Give --data FOLDER or set TWIN_DATA.")
    lines = scms.read_lines(Path(asked.data))
    measured = measure(lines)
    for name, rows in tables(moving.Chain(measured)).items():
        write(asked.to / f"{name}.csv", rows)
    write(asked.to / "evidence" / "evidence.csv", evidence(lines, measured))


if __name__ == "__main__":
    main()
