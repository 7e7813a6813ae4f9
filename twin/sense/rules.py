"""Rules: what raises an alert, by default from the model, changed in ``alerts/<model>.yaml``.

    rules:
      - kind: temperature        # what is watched
        where: south_dc:*        # of what; * and ? stand for anything
        high: 7
        after: 30min             # beyond it for so long is critical
        of: [3, 5]               # three of five readings, before it is believed
      - kind: stock
        where: north_dc/*
        ignore: yes

A rule of the file comes before a default one of the same kind, where it fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from twin.alert import SEVERITIES
from twin.clock import excerpt, parse_duration
from twin.document import DocumentError, read_document
from twin.kinds import KINDS
from twin.network import Network
from twin.network.problems import guess

#: Signals that a range can be set for.
MEASURED = tuple(kind.name for kind in KINDS.values() if kind.signal and "value" in kind.needs
                 and kind.name not in ("alive", "door"))
#: Kind of a rule that is no range -> what it watches, and as what it names it.
WATCHED = {
    "lot": "temperature that a lot has seen, against its product (lot)",
    "shelf_life": "share of its life that a lot has used (lot)",
    "stock": "units on a shelf, against reorder point and safety stock (site/product)",
    "fill": "share of a storage area that is full (site:area)",
    "down": "how long a machine has been down (machine)",
    "anomaly": "signals of a machine, against what they usually are (machine)",
    "wear": "signals of a machine, against where they stood when it failed before (machine)",
    "silent": "how long a sensor has said nothing (sensor)",
    "quality": "trust in a sensor, from 0 to 1 (sensor)",
    "off_route": "a vehicle outside the corridor of its lane (shipment)",
    "stopped": "how long a vehicle has stood in the open (shipment)",
    "theft": "fuel that leaves a tank at once (truck)",
    "late": "chance that an order comes late (order)",
}


_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Rule:
    """What raises an alert.

    Attributes
    ----------
    kind
        A signal of `MEASURED` with a range, or a word of `WATCHED`.
    where
        Names that it holds for; ``*`` and ``?`` stand for anything.
    low, high
        Bounds, themselves still good; NaN is none.
    after
        Hours: beyond a range for so long is critical; down, silent or stopped for so long is an
        alert. NaN leaves it to the model.
    m, n
        Readings that must agree.
    clear
        Severity below which it is over, as a share of the limit.
    severity
        At first.
    ignore
        Nothing is raised.
    """

    kind: str
    where: str = "*"
    low: float = math.nan
    high: float = math.nan
    after: float = math.nan
    m: int = 2
    n: int = 3
    clear: float = 0.9
    severity: str = "warning"
    ignore: bool = False

    def fits(self, kind: str, name: str) -> bool:
        """Whether it is about this."""
        return kind == self.kind and fnmatchcase(name, self.where)


class Rules:
    """The rules in the order in which they are tried.

    Examples
    --------
    >>> rules = Rules([Rule("stock", "W/tea", ignore=True), Rule("stock")])
    >>> rules.find("stock", "W/tea") is None, rules.find("stock", "W/milk").where
    (True, '*')
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._found: dict[tuple[str, str], Rule | None] = {}

    def find(self, kind: str, name: str) -> Rule | None:
        """The first rule about this; None when there is none or it is to be ignored."""
        if (kind, name) in self._found:
            return self._found[kind, name]
        found = next((rule for rule in self.rules if rule.fits(kind, name)), None)
        if len(self._found) > _REMEMBERED:
            self._found.clear()
        self._found[kind, name] = None if found is None or found.ignore else found
        return self._found[kind, name]


def default_rules(network: Network) -> list[Rule]:
    """What the model itself asks for.

    Temperature of each storage area with a range, and of refrigerated trucks by the range that all
    cold products share; lots by their products; shelves, fill over 90 %, machines, sensors, trips
    and lateness everywhere.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}],
    ...     storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}])
    >>> default_rules(network)[0]
    Rule(kind='temperature', where='W:cold', low=2.0, high=8.0, after=1.0, ...)
    """
    found = [Rule("temperature", f"{row.site}:{row.area}", _number(row.min_c), _number(row.max_c),
                  1.0) for row in network.storage.values()
             if row.min_c is not None or row.max_c is not None]
    cold = [row for row in network.products.values() if row.min_c is not None
            and row.max_c is not None]
    if cold:
        low, high = max(row.min_c or 0.0 for row in cold), min(row.max_c or 0.0 for row in cold)
        found += [Rule("temperature", name, low, high, 1.0)
                  for truck in network.trucks.values() if truck.refrigerated and low < high
                  for name in (truck.truck, f"{truck.truck}#*")]
    return [
        *found,
        Rule("lot", after=1.0), Rule("shelf_life", high=0.9),
        Rule("stock", m=1, n=1, severity="info"), Rule("fill", high=0.9, m=1, n=1),
        Rule("down"), Rule("anomaly", clear=0.5), Rule("wear"),
        Rule("silent"), Rule("quality", low=0.5, m=1, n=1),
        Rule("off_route"), Rule("stopped", after=1.0), Rule("theft"),
        Rule("late", high=0.5, m=1, n=1),
    ]


def read_rules(path: Path, network: Network) -> Rules:
    """The rules of a file, if there is one, before the default ones.

    Raises
    ------
    DocumentError
        With everything that is wrong in the file.
    """
    own: list[Rule] = []
    if path.is_file():
        name = "/".join(path.parts[-2:])
        own = parse_rules(read_document(path, name), name)
    return Rules([*own, *default_rules(network)])


def parse_rules(document: Mapping[str, Any], name: str) -> list[Rule]:
    """The rules of a document.

    Examples
    --------
    >>> parse_rules({"rules": [{"kind": "temperature", "high": 8, "after": "30min",
    ...                         "of": [3, 5]}]}, "alerts/tea.yaml")
    [Rule(kind='temperature', where='*', low=nan, high=8.0, after=0.5, m=3, n=5, ...)]
    >>> parse_rules({"rules": [{"kind": "temprature"}]}, "alerts/tea.yaml")
    Traceback (most recent call last):
    ...
    twin.document.DocumentError: alerts/tea.yaml rule 1: kind 'temprature' is unknown. Did you ...
    """
    rows = document.get("rules")
    problems = [f"{name}: key '{excerpt(str(key))}' is unknown. Write rules."
                for key in document if key != "rules"]
    found = []
    if not isinstance(rows, list):
        problems.append(f"{name}: rules is not a list. Write '- kind: temperature' lines.")
        rows = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(_rule(row))
        except ValueError as error:
            problems.append(f"{name} rule {number}: {error}")
    if problems:
        raise DocumentError("\n".join(problems))
    return found


def _rule(row: object) -> Rule:
    if not isinstance(row, dict):
        raise ValueError("it is not a mapping. Write 'kind: temperature' and what follows.")
    keys = [field.name for field in fields(Rule) if field.name not in ("m", "n")] + ["of"]
    for key in row:
        if key not in keys:
            raise ValueError(f"key '{excerpt(str(key))}' is unknown. {guess(str(key), keys)}")
    kind = row.get("kind")
    if kind not in (*MEASURED, *WATCHED):
        raise ValueError(f"kind '{excerpt(str(kind))}' is unknown. "
                         f"{guess(str(kind), (*MEASURED, *WATCHED))}")
    said: dict[str, Any] = {"kind": kind, "where": _word(row, "where", "*"), "ignore": _yes(row)}
    for key in ("low", "high", "clear"):
        if key in row:
            said[key] = _finite(key, row[key])
    if "after" in row:
        said["after"] = parse_duration(str(row["after"]))
        if said["after"] < 0:
            raise ValueError(f"after '{row['after']}' is negative. Write a duration such as 30min.")
    if "of" in row:
        said["m"], said["n"] = _of(row["of"])
    severity = _word(row, "severity", "warning")
    if severity not in SEVERITIES:
        raise ValueError(f"severity '{excerpt(severity)}' is unknown. "
                         f"{guess(severity, SEVERITIES)}")
    if kind in MEASURED and not ("low" in said or "high" in said or said["ignore"]):
        raise ValueError(f"{kind} has neither low nor high. Write at least one.")
    if said.get("low", -math.inf) > said.get("high", math.inf):
        raise ValueError(f"low {said['low']:g} is above high {said['high']:g}.")
    return Rule(**said, severity=severity)


def _word(row: Mapping[str, Any], key: str, otherwise: str) -> str:
    value = row.get(key, otherwise)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} '{excerpt(str(value))}' is not a text.")
    return value


def _yes(row: Mapping[str, Any]) -> bool:
    value = row.get("ignore", False)
    if not isinstance(value, bool):
        raise ValueError(f"ignore '{excerpt(str(value))}' is neither yes nor no.")
    return value


def _finite(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} '{excerpt(str(value))}' is not a number.")
    return float(value)


def _of(value: object) -> tuple[int, int]:
    if isinstance(value, Sequence) and len(value) == 2 and all(type(k) is int for k in value):
        m, n = value
        if 1 <= m <= n <= 1000:
            return m, n
    raise ValueError(f"of '{excerpt(str(value))}' is not two numbers. Write [3, 5] for three of "
                     "five.")


def _number(value: float | None) -> float:
    return math.nan if value is None else value
