"""A plan as a document."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.plan import (
    Answer,
    Operation,
    Order,
    Plan,
    Progress,
    Reason,
    Route,
    Service,
    Status,
    Visit,
)

PLAN = Plan(
    "all", "harbour", 48.0,
    Answer(Status.FEASIBLE, 120.0, 100.0, "EUR", "cp_sat", 2.5, 7.0, "work", 150.0,
           (Progress(0.1, 150.0), Progress(2.0, 120.0, 100.0)),
           (Reason("binding", "bottling", "one more hour saves 3 EUR", 3.0),)),
    operations=(
        Operation("juicery", "tank", "settling", "juice", 4, 1, 20, 48.0, 58.0, 1.0, 40.0),),
    routes=(
        Route("reefer#1", "juicery", 50.0, 60.0,
              (Visit("north_dc", 52.0, 53.0, 54.0, ((7, "juice", 20.0),)),), 300.0, 105.0, 90.0),),
    orders=(Order("expedite", "juicery", "concentrate", 60.0, 48.0, "orchard", "air", 96.0, 3),),
    services=(Service("bottling_line", "wear", 70.0, 72.0, "fitters"),),
    cells={"stock[juicery,concentrate].reorder_point": "200"}, state_digest="abc")


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == PLAN


def test_a_digest_is_of_what_to_do_not_of_the_search() -> None:
    slower = Plan.from_document({**PLAN.document(), "answer": {"status": "unknown"}})
    assert slower.digest() == PLAN.digest()
    other = Plan.from_document({**PLAN.document(), "made_h": 49.0})
    assert other.digest() != PLAN.digest()


@pytest.mark.parametrize("change", [
    {"mood": 1}, {"answer": {"status": "good"}}, {"orders": [{"verb": "order"}]}, {"routes": 7},
    {"answer": None}, {"operations": [{"nothing": 1}]}])
def test_what_is_no_plan_says_so(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a plan"):
        Plan.from_document({**PLAN.document(), **change})
