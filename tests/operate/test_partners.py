"""Partners see what is theirs and agreed, field by field, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.operate.served import DAYS, FILES, START, Served, serving
from twin.operate.agreement import ITEM_FIELDS, ORDER_FIELDS, read_agreement
from twin.operate.roles import Role
from twin.readings import Reading
from twin.workspace import Workspace

S, C, P, V = Role.SUPPLIER, Role.CUSTOMER, Role.PLANNER, Role.VIEWER


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("ours")) as one:
        yield one


def test_a_supplier_sees_its_own_items_with_the_agreed_fields(served: Served) -> None:
    row, = served.call("GET", "/v1/suppliers/garden/items", S).json()
    assert set(row) == {"site", "product", "stock", "consumption", "forecast"}
    assert (row["site"], row["product"]) == ("depot", "tea")
    assert row["stock"]["units"] == 400.0 - 8 * 6.0 - 8 * 8.0
    assert row["consumption"]["per_day"] == round((8 * 6.0 + 7 * 8.0) / 15, 3)
    assert row["consumption"]["days"] == 15
    assert row["consumption"]["low"] < row["consumption"]["per_day"] < row["consumption"]["high"]
    assert len(row["forecast"]) == 14
    assert all(day["low"] <= day["mean"] <= day["high"] for day in row["forecast"])
    assert row["forecast"][0]["mean"] == pytest.approx(7.0, abs=0.5)


@pytest.mark.parametrize("field", [*ITEM_FIELDS, ""])
def test_a_supplier_gets_no_field_of_another(served: Served, field: str) -> None:
    asked = f"?field={field}" if field else ""
    answer = served.call("GET", f"/v1/suppliers/pottery/items{asked}", S)
    assert answer.status_code == 403
    assert "cup" not in answer.text
    assert served.log("refused")[-1]["body"] == {"site": "pottery", "role": "supplier"}
    assert served.call("GET", f"/v1/customers/shop/orders{asked}", S).status_code in (403, 422)


@pytest.mark.parametrize("field", [*ORDER_FIELDS, ""])
def test_a_customer_gets_no_field_of_another(served: Served, field: str) -> None:
    asked = f"?field={field}" if field else ""
    for path in (f"/v1/customers/cafe/orders{asked}", "/v1/customers/cafe/orders/events?once=true",
                 f"/v1/customers/nowhere/orders{asked}"):
        answer = served.call("GET", path, C)
        assert answer.status_code == 403
        assert "72" not in answer.text


@pytest.mark.parametrize(("path", "agreed", "fields"), [
    ("/v1/suppliers/garden/items", {"stock", "consumption", "forecast"}, ITEM_FIELDS),
    ("/v1/customers/shop/orders", {"promise", "eta"}, ORDER_FIELDS),
], ids=["supplier", "customer"])
def test_a_field_that_is_not_agreed_is_refused_even_to_ourselves(
        served: Served, path: str, agreed: set[str], fields: dict[str, str]) -> None:
    for field in fields:
        for role in (S if "suppliers" in path else C, P):
            answer = served.call("GET", f"{path}?field={field}", role)
            assert answer.status_code == (200 if field in agreed else 403), field
            if field in agreed:
                assert all(field in row for row in answer.json())


def test_with_whom_nothing_is_agreed_nobody_looks(served: Served) -> None:
    answer = served.call("GET", "/v1/suppliers/pottery/items", P)
    assert answer.status_code == 403
    assert "nothing is agreed" in answer.json()["detail"]


def test_a_customer_hears_when_its_own_orders_change(served: Served) -> None:
    def heard(after: str = "") -> list[tuple[str, dict[str, object]]]:
        text = served.call("GET", "/v1/customers/shop/orders/events?once=true", C,
                           headers={"Last-Event-ID": after} if after else {}).text
        return [(part.split("event: ")[1].split("\n")[0],
                 json.loads(part.split("data: ")[1])) for part in text.split("\n\n")
                if "event: " in part]

    (kind, row), = heard()
    assert (kind, row["order"]) == ("order", "71")
    assert row["promise"] == "2026-01-19T12:00:00.000Z"
    now = START + 86_400.0 * DAYS
    assert row["eta"] == dict.fromkeys(("median", "low", "high"), "2026-01-17T18:00:00.000Z")
    mark = str(int(served.house.store.watermark() or 0))
    assert heard(mark) == []
    served.house.store.write([Reading(
        sensor="erp", id="late", time=now + 3600.0, kind="ordering", site="shop", to_site="depot",
        product="tea", order="73", quantity=1.0)])
    assert [row["order"] for _, row in heard(mark)] == ["71", "73"]


def test_what_is_wrong_with_an_agreement_is_told_when_the_server_starts(tmp_path: Path) -> None:
    for text, told in (
        ("suppliers: {garden: {fields: [stock, margin]}}", "suppliers.garden.fields.1"),
        ("suppliers: {gardn: {fields: [stock]}}", "Did you mean 'garden'?"),
        ("partners: {}", "partners is unknown"),
        ("keep: {telemetry: 3h}", "less than a day"),
    ):
        folder = tmp_path / str(len(text))
        for name, content in {**FILES, "governance/tea.yaml": text}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        network = Workspace(folder).network("tea")
        with pytest.raises(ValueError, match=r"governance/tea\.yaml") as error:
            read_agreement(folder / "governance" / "tea.yaml", network)
        assert told in str(error.value)
