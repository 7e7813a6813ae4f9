"""Alerts follow from their steps."""

from __future__ import annotations

import pytest

from twin.alert import Alert, Step, alert_id, alerts_of, worst_first

RAISED = Step("A-1", "raised", 10.0, "temperature", "area W:cold", "warning", 5.0, 9.0, 8.0,
              meaning="warm")
STEPS = [RAISED, Step("A-1", "acknowledged", 20.0, by="ann", comment="door"),
         Step("A-1", "escalated", 30.0, severity="critical", value=11.0, at_risk=560.0),
         Step("A-1", "cleared", 40.0)]


def stands(at: float) -> Alert:
    return alerts_of(STEPS, at)["A-1"]


def test_an_alert_at_each_time() -> None:
    assert alerts_of(STEPS, 9.0) == {}
    assert [(stands(at).state, stands(at).severity) for at in (10.0, 20.0, 30.0, 40.0)] == [
        ("active", "warning"), ("acknowledged", "warning"), ("active", "critical"),
        ("over, not acknowledged", "critical")]
    assert stands(30.0).at_risk == 560.0
    assert stands(30.0).meaning == "warm"
    assert stands(20.0).comment == "door"
    assert len(stands(40.0).history) == 4


def test_steps_go_through_json() -> None:
    assert Step.parse(RAISED.line()) == RAISED
    for step in STEPS:
        assert Step.parse(step.line()).line() == step.line()


@pytest.mark.parametrize(("line", "why"), [
    ("[1]", "not a step"),
    ('{"alert":"A-1","what":"raised"}', "when"),
    ('{"alert":"A-1","what":"exploded","time":1}', "what happened"),
    ('{"alert":1,"what":"raised","time":1}', "alert has the wrong type"),
    ('{"alert":"A-1","what":"raised","time":"1"}', "time has the wrong type"),
    ('{"alert":"A-1","what":"raised","time":1,"evil":2}', "not a step"),
])
def test_a_line_that_is_no_step_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Step.parse(line)


def test_steps_of_unknown_or_finished_alerts_change_nothing() -> None:
    assert alerts_of([Step("A-9", "cleared", 1.0)]) == {}
    again = alerts_of([*STEPS, Step("A-1", "cleared", 50.0), Step("A-1", "escalated", 60.0)])
    assert again["A-1"].cleared == 40.0


def test_the_id_depends_on_kind_subject_and_beginning() -> None:
    ids = {alert_id(kind, subject, since) for kind in ("a", "b") for subject in ("x", "y")
           for since in (0.0, 1.0)}
    assert len(ids) == 8
    assert alert_id("a", "x", 0.2) == alert_id("a", "x", 0.0)


def test_worst_first() -> None:
    steps = [Step(name, "raised", time, severity=severity) for name, time, severity in [
        ("A-old", 1.0, "warning"), ("A-new", 2.0, "warning"), ("A-bad", 3.0, "critical"),
        ("A-seen", 0.0, "critical"), ("A-over", 0.0, "critical")]]
    steps += [Step("A-seen", "acknowledged", 4.0, by="ann"), Step("A-over", "cleared", 4.0)]
    assert [alert.id for alert in worst_first(alerts_of(steps).values())] == [
        "A-bad", "A-seen", "A-old", "A-new", "A-over"]
