"""The report of evidence: targets judged, failures kept apart, absence of the data told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.evidence import __main__ as evidence
from benchmarks.evidence.line import Line

GOOD = Line("set", "error", 1.25, "<=", 2.0, "naive", 3.0, "how")
BAD = Line("set", "share", 0.5, ">=", 0.8, "naive", None, "how")
FREE = Line("set", "note", 7.0, "", None, "", None, "how")


def test_targets_are_judged() -> None:
    assert [evidence.reached(line) for line in (GOOD, BAD, FREE)] == ["yes", "NO", ""]


def test_the_report_names_what_is_missing() -> None:
    text = evidence.report([GOOD, FREE], {"m3": "m3 is not in the data folder"},
                           {"m4": "ValueError: bad"})
    assert "| set | error | 1.25 | <= 2 | yes | naive | 3 | how |" in text
    assert "- m3 was skipped: m3 is not in the data folder." in text
    assert "- m4 FAILED: ValueError: bad." in text


def test_without_data_everything_is_skipped_by_name(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("TWIN_DATA", raising=False)
    assert evidence.main([]) == 0
    said = capsys.readouterr().out
    assert "TWIN_DATA is not set" in said
    assert {"carparts", "cmapss", "m3", "m4", "supplygraph"} <= set(
        said.replace(".", ",").replace(" ", "").replace(":", ",").split(","))


def test_one_that_fails_does_not_stop_the_others(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    """An empty data folder: all are skipped, each by name, and the report is written."""
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert evidence.main(["carparts", "supplygraph"]) == 0
    text = (tmp_path / "outputs" / "evidence" / "evidence.md").read_text()
    assert "carparts was skipped" in text
    assert "supplygraph was skipped" in text
    assert evidence.main(["moon"]) == 2
    assert "There is no evidence 'moon'" in capsys.readouterr().err
