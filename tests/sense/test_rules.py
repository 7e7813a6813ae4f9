"""Rules: by default from the model, changed by a file that is checked."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from twin.document import DocumentError
from twin.network import Network
from twin.sense.rules import Rules, default_rules, parse_rules, read_rules

NETWORK = Network(
    sites=[{"site": "W", "kind": "warehouse"}],
    storage=[{"site": "W", "area": "cold", "min_c": 2, "max_c": 8},
             {"site": "W", "area": "frozen", "max_c": -18}, {"site": "W", "area": "hall"}],
    products=[{"product": "a", "min_c": 2, "max_c": 8}, {"product": "b", "min_c": 0, "max_c": 6}],
    trucks=[{"truck": "reefer", "home": "W", "refrigerated": "yes"},
            {"truck": "van", "home": "W"}])


def test_the_model_asks_for_its_own_limits() -> None:
    rules = Rules(default_rules(NETWORK))
    cold, frozen = rules.find("temperature", "W:cold"), rules.find("temperature", "W:frozen")
    assert cold is not None
    assert frozen is not None
    assert (cold.low, cold.high, cold.after) == (2.0, 8.0, 1.0)
    assert (math.isnan(frozen.low), frozen.high) == (True, -18.0)
    assert rules.find("temperature", "W:hall") is None
    reefer = rules.find("temperature", "reefer#2")
    assert reefer is not None
    assert (reefer.low, reefer.high) == (2.0, 6.0)  # what both products bear
    assert rules.find("temperature", "van") is None


def test_a_file_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "alerts" / "tea.yaml"
    assert read_rules(path, NETWORK).find("temperature", "W:cold").high == 8.0  # type: ignore[union-attr]
    path.parent.mkdir()
    path.write_text("rules:\n"
                    "  - {kind: temperature, where: 'W:c*', high: 7, after: 20min, of: [3, 5],\n"
                    "     severity: info, clear: 0.8}\n"
                    "  - {kind: humidity, high: 60}\n"
                    "  - {kind: stock, ignore: yes}\n")
    rules = read_rules(path, NETWORK)
    cold = rules.find("temperature", "W:cold")
    assert cold is not None
    assert (cold.high, cold.after, cold.m, cold.n, cold.severity) == (7.0, 1 / 3, 3, 5, "info")
    assert rules.find("stock", "W/a") is None
    assert rules.find("humidity", "W:hall") is not None
    assert rules.find("fill", "W:cold") is not None


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(DocumentError) as error:
        parse_rules({"rule": [], "rules": [
            "x", {"kind": "temperature"}, {"kind": "stok"}, {"kind": "fill", "hihg": 1},
            {"kind": "fill", "high": "1"}, {"kind": "down", "after": "2"},
            {"kind": "down", "of": [5, 3]}, {"kind": "humidity", "low": 9, "high": 1},
            {"kind": "late", "severity": "dire"}, {"kind": "late", "where": 3},
            {"kind": "late", "ignore": "perhaps"}, {"kind": "down", "after": "-2h"}]},
            "alerts/t.yaml")
    lines = str(error.value).splitlines()
    assert lines == [
        "alerts/t.yaml: key 'rule' is unknown. Write rules.",
        "alerts/t.yaml rule 1: it is not a mapping. Write 'kind: temperature' and what follows.",
        "alerts/t.yaml rule 2: temperature has neither low nor high. Write at least one.",
        "alerts/t.yaml rule 3: kind 'stok' is unknown. Did you mean 'stock'?",
        "alerts/t.yaml rule 4: key 'hihg' is unknown. Did you mean 'high'?",
        "alerts/t.yaml rule 5: high '1' is not a number.",
        "alerts/t.yaml rule 6: '2' has no unit. Write 2h or 2d.",
        "alerts/t.yaml rule 7: of '[5, 3]' is not two numbers. Write [3, 5] for three of five.",
        "alerts/t.yaml rule 8: low 9 is above high 1.",
        "alerts/t.yaml rule 9: severity 'dire' is unknown. Write one of info, warning, critical.",
        "alerts/t.yaml rule 10: where '3' is not a text.",
        "alerts/t.yaml rule 11: ignore 'perhaps' is neither yes nor no.",
        "alerts/t.yaml rule 12: after '-2h' is negative. Write a duration such as 30min.",
    ]
