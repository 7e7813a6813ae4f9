"""Evidence on real data: every module of this folder, one table, and a report of it.

    python -m benchmarks.evidence [MODULE ...]

The data are taken from the folder that TWIN_DATA names. A module that fails does not stop the
others; what was skipped is named. The report goes to outputs/evidence/.
"""

from __future__ import annotations

import csv
import math
import operator
import os
import sys
import time
import traceback
from dataclasses import asdict, fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from benchmarks.evidence.line import Line

_HERE = Path(__file__).parent
_OUT = Path("outputs") / "evidence"
_NOT_DATA = {"__main__", "line"}
_SIGNS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt,
          "==": operator.eq, "=": operator.eq}


def modules() -> list[str]:
    """Names of the modules that have lines to tell, sorted."""
    names = sorted(found.name for found in iter_modules([str(_HERE)]))
    return [name for name in names if name not in _NOT_DATA
            and "def lines(" in (_HERE / f"{name}.py").read_text(encoding="utf-8")]


def reached(line: Line) -> str:
    """``yes``, ``NO``, or blank where there is no target."""
    sign = _SIGNS.get(line.sign)
    if sign is None or line.target is None:
        return ""
    return "yes" if sign(line.value, line.target) else "NO"


def main(wanted: list[str]) -> int:
    """Run the modules and write the report; 0 if every one of them ran and reached its targets."""
    known = modules()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"There is no evidence '{unknown[0]}'. There are {', '.join(known)}.",
              file=sys.stderr)
        return 2
    if not os.environ.get("TWIN_DATA"):
        print(f"TWIN_DATA is not set, so everything is skipped: {', '.join(wanted or known)}. Let "
              "it name the folder that holds the data sets.")
        return 0
    lines: list[Line] = []
    skipped: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name in wanted or known:
        began = time.perf_counter()
        print(f"{name} ...", end=" ", flush=True)
        try:
            found = import_module(f"benchmarks.evidence.{name}").lines()
        except FileNotFoundError as error:
            skipped[name] = f"{Path(str(error.filename)).name} is not in the data folder"
            print("skipped")
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
            print("FAILED")
            traceback.print_exc()
        else:
            lines += found
            print(f"{len(found)} lines, {time.perf_counter() - began:.0f} s", flush=True)
    text = report(lines, skipped, failed)
    write(text, lines)
    print("\n" + text)
    return int(bool(failed) or any(reached(line) == "NO" for line in lines))


def report(lines: list[Line], skipped: dict[str, str], failed: dict[str, str]) -> str:
    """The table as Markdown, and what is missing from it."""
    rows = ["| data | what | value | target | reached | beside it | its value | how |",
            "|---|---|---|---|---|---|---|---|"]
    for line in lines:
        target = "" if line.target is None else f"{line.sign} {figure(line.target)}"
        beside = "" if line.baseline_value is None else figure(line.baseline_value)
        rows.append(f"| {line.data} | {line.what} | {figure(line.value)} | {target} | "
                    f"{reached(line)} | {line.baseline} | {beside} | {line.note} |")
    notes = [f"- {name} was skipped: {why}." for name, why in skipped.items()]
    notes += [f"- {name} FAILED: {why}." for name, why in failed.items()]
    return "\n".join(["# Evidence on real data", "", *rows, "", *notes]).rstrip() + "\n"


def figure(value: float) -> str:
    """A number with four figures."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def write(text: str, lines: list[Line]) -> None:
    """evidence.md for a reader, evidence.csv for a program."""
    _OUT.mkdir(parents=True, exist_ok=True)
    (_OUT / "evidence.md").write_text(text, encoding="utf-8")
    with (_OUT / "evidence.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*(field.name for field in fields(Line)), "reached"])
        writer.writeheader()
        writer.writerows(asdict(line) | {"reached": reached(line)} for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
