"""The book of alerts: each condition once, and nothing lost by a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.sense.alerts import AlertBook, Finding


def warm(time: float, severity: str = "warning", subject: str = "area W:cold", since: float = 0.0,
         ) -> Finding:
    return Finding("temperature", subject, severity, time, since, 9.0, 8.0, 0.0, "warm")


def test_a_persisting_condition_is_raised_once(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    book = AlertBook(path)
    for minute in range(100):
        book.tell([warm(60.0 * minute)])
    assert len(path.read_text().splitlines()) == 1
    book.tell([warm(7000.0, "critical"), warm(7060.0, "critical"), warm(8000.0, "")])
    assert [step.what for step in book.steps] == ["raised", "escalated", "cleared"]
    book.tell([warm(9000.0, since=8900.0)])
    assert len(book.all()) == 2


def test_reading_it_again_and_hearing_it_again_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    story = [warm(60.0), warm(3600.0, "critical"), warm(7200.0, ""),
             warm(9000.0, since=9000.0), warm(100.0, subject="area V:cold")]
    first = AlertBook(path)
    first.tell(story)
    size = path.stat().st_size
    again = AlertBook(path)
    assert repr(again.all()) == repr(first.all())
    assert again.tell(story) == []
    assert path.stat().st_size == size


def test_acknowledging(tmp_path: Path) -> None:
    book = AlertBook(tmp_path / "alerts.jsonl")
    (name,) = book.tell([warm(60.0)])
    alert = book.acknowledge(name[:6], "ann", "Door left\nopen, closed it.", 100.0)
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", "ann")
    assert AlertBook(book.path).all()[name].comment == "Door left open, closed it."
    assert book.open() == [alert]
    book.tell([warm(200.0, "")])
    assert book.open() == []
    with pytest.raises(ValueError, match=r"alert 'A-zz' is unknown\. Open ones: none is open"):
        book.acknowledge("A-zz", "ann", "", 1.0)
    with pytest.raises(ValueError, match=r"nobody acknowledges A-.*--by NAME"):
        book.acknowledge(name, " ", "", 1.0)
    with pytest.raises(ValueError, match="cannot be printed"):
        book.acknowledge(name, "ann\x1b[31m", "", 1.0)


def test_a_worse_condition_asks_for_a_new_acknowledgement() -> None:
    book = AlertBook()
    (name,) = book.tell([warm(60.0)])
    book.acknowledge(name, "ann", "seen", 100.0)
    book.tell([warm(3600.0, "critical")])
    assert book.all()[name].state == "active"


def test_time_travel() -> None:
    book = AlertBook()
    book.tell([warm(60.0), warm(3600.0, "critical"), warm(7200.0, "")])
    assert [len(book.open(at)) for at in (0.0, 60.0, 8000.0)] == [0, 1, 1]
    assert book.open(100.0)[0].severity == "warning"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 2000))
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    """A crash may leave any beginning of the file; what follows is written on a line of its own."""
    path = tmp_path / "alerts.jsonl"
    path.unlink(missing_ok=True)
    story = [warm(60.0), warm(3600.0, "critical"), warm(7200.0, ""), warm(9000.0, since=9000.0)]
    AlertBook(path).tell(story)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    kept = AlertBook(path)
    assert len(kept.steps) in (whole[:cut].count(b"\n"), whole[:cut].count(b"\n") + 1)
    kept.tell(story)
    assert [step.what for step in AlertBook(path).steps] == [
        "raised", "escalated", "cleared", "raised"]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"alert":"A-1","what":"raised","time":1}\n{"alert":1}\n')
    with pytest.raises(ValueError, match=r"alerts.jsonl line 2: alert has the wrong type"):
        AlertBook(path)


_WRITER = """
import sys
from twin.sense.alerts import AlertBook, Finding
book = AlertBook(sys.argv[1])
for k in range(100_000):
    book.tell([Finding("stock", f"shelf {k}", "info", float(k), float(k))])
    print(k, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("lines", [1, 7, 40])
def test_what_was_told_is_there_after_kill_9(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "alerts.jsonl"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE,
                          text=True) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            told = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
    alerts = AlertBook(path).all()
    assert len(alerts) >= told + 1
    assert sorted(int(alert.subject.split()[1]) for alert in alerts.values()) == list(
        range(len(alerts)))
