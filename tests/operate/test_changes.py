"""Open orders that are put off, enlarged or cut: proposed, played, pushed and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulate.chains import BASELINE, shelf
from twin.commands.proposals import Ground, flows
from twin.measure.running_cost import running_cost
from twin.network import Network
from twin.operate import outbox
from twin.operate.actions import actions_of, in_units, with_standing
from twin.operate.configuration import Configuration
from twin.operate.connectors.contract import Message
from twin.operate.database import connect, writing
from twin.operate.forms import form_of
from twin.operate.forms.purchase import CHANGE, ORIGINAL, purchase_of
from twin.operate.inbox import Inbox
from twin.operate.ladder import Rung
from twin.plan import Plan
from twin.recommendation import Recommendation
from twin.simulate.play import play
from twin.state import State

START = datetime(2026, 5, 1, tzinfo=UTC)
HORIZON_H = 28 * 24.0


def full() -> Network:
    """A shelf with six weeks of stock, and an order of two weeks more that is due in four days."""
    return shelf({"on_hand": 84, "policy": "s_Q", "reorder_point": 14, "order_quantity": 28,
                  "holding_cost": 1.0}, {"size": 1, "interarrival": "12h"},
                 supply={"lead_time": "4d"}, orders=[
        {"order": "1", "site": "W", "product": "A", "quantity": 28, "placed": "0h",
         "source": "S"}])


def live(network: Network) -> State:
    state = play(network, BASELINE, horizon_h=1.0, save_at=1.0).state
    assert state is not None
    return state


def proposed(network: Network, state: State) -> dict[str, Plan]:
    ground = Ground(network, state, 1, HORIZON_H, 8.0, 1.0, 4, 1)
    return {name: in_units(plan) for name, plan in flows(ground)}


def test_an_order_that_comes_too_early_is_put_off_and_that_saves() -> None:
    network = full()
    state = live(network)
    plan = proposed(network, state)["replenishment: later"]
    action, = with_standing(actions_of(plan, network), state)
    assert (action.verb, action.target, action.quantity) == ("defer", "W/A", 28.0)
    assert action.detail["was"] == 28.0
    assert action.detail["due"] == 1.0 + 6 * 168.0  # when six weeks of stock are used up

    def cost(told: Plan | None) -> float:
        return running_cost(play(network, BASELINE, horizon_h=HORIZON_H, state=state,
                                 plan=told).tally, network)

    assert cost(plan) < cost(None)


def test_an_order_that_is_too_small_is_enlarged_while_nobody_works_on_it() -> None:
    busy = shelf({"on_hand": 8, "policy": "base_stock", "order_up_to": 30}, {"size": 4},
                 supply={"capacity_per_day": 1}, orders=[
        {"order": str(number), "site": "W", "product": "A", "quantity": 2, "placed": "0h",
         "source": "S"} for number in (1, 2)])
    needy = shelf({"on_hand": 0, "policy": "base_stock", "order_up_to": 30}, {"size": 4},
                  supply={"capacity_per_day": 40, "lead_time": "0h"})
    state = play(busy, BASELINE, horizon_h=12.0, save_at=12.0).state
    assert state is not None
    plan = proposed(needy, state)["replenishment: orders"]
    found = [one for one in with_standing(actions_of(plan, needy), state)
             if one.verb == "increase"]
    assert [(one.detail["order"], one.detail["was"]) for one in found] == [
        (order["number"], order["undelivered"]) for order in state.orders
        if order["number"] == found[0].detail["order"]]
    assert len(found) == 1


@pytest.mark.parametrize(("verb", "stands", "back"), [
    ("increase", (50.0, CHANGE), (40.0, CHANGE)), ("decrease", (30.0, CHANGE), (40.0, CHANGE)),
    ("defer", (10.0, CHANGE), (40.0, CHANGE)), ("expedite", (10.0, CHANGE), (40.0, CHANGE)),
    ("cancel", (10.0, "cancellation"), (40.0, ORIGINAL))])
def test_a_changed_order_is_taken_back_to_how_it_stood(
        verb: str, stands: tuple[float, str], back: tuple[float, str]) -> None:
    body: dict[str, Any] = {"target": "W/tea", "quantity": 10.0, "order": 7, "was": 40.0,
                            "due": "2026-05-20T00:00:00+00:00",
                            "was_due": "2026-05-12T00:00:00+00:00"}
    deed, purpose = purchase_of(Message("R-1/1", verb, body), 22)
    assert ((deed.quantity, purpose), deed.number) == (stands, "7")
    undone = Message("R-1/1/undo", "undo", {"of": verb, **body}, undoes="R-1/1")
    deed, purpose = purchase_of(undone, 22)
    assert ((deed.quantity, purpose), deed.due[:10]) == (back, "2026-05-12")
    assert deed.number == ("R-1/1/undo" if verb == "cancel" else "7")
    for name in ("edifact", "x12"):
        assert form_of(name, {"sender": "TWIN", "receiver": "ACME"}).write(undone)


def test_a_deferred_order_is_pushed_with_its_day_and_taken_back(address: str, key: bytes) -> None:
    network = full()
    state = live(network)
    plan = proposed(network, state)["replenishment: later"]
    advice = Recommendation("tea", "replenishment",
                            with_standing(actions_of(plan, network), state), (), expires_h=24.0)
    engine = connect(address)
    with writing(engine) as connection:
        inbox = Inbox(connection, key, "tea", START, lambda verb, kind: "erp", lambda: START)
        filed, = inbox.file([advice], {"replenishment": Rung.APPROVE})
        inbox.approve(filed.name, "Ann", Configuration().limits("any"))
        asked, = outbox.rows(connection)
        due = datetime.fromisoformat(asked.message.body["due"])
        assert (due - START).total_seconds() / 3600.0 == pytest.approx(
            advice.actions[0].detail["due"])
        connection.exec_driver_sql("update outbox set status = 'sent'")
        inbox.undo(filed.name, "Ann")
        back = outbox.rows(connection)[1].message
        assert (back.kind, back.body["of"], back.undoes) == ("undo", "defer", asked.message.key)
        assert back.body["was"] == 28.0
    engine.dispose()
