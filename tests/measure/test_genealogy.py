"""Every unit of a lot is somewhere, whatever world the ledger came from."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

from tests.simulate.test_properties import HOURS, networks, quick, what_ifs
from twin.experiment import read_model
from twin.ledger import Ledger
from twin.measure.genealogy import Genealogy
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.operation import Operation
from twin.simulate.play import play


def family_of(rows: list[dict[str, Any]]) -> Genealogy:
    ledger = Ledger()
    for row in rows:
        ledger.add(**row)
    return Genealogy(ledger.frame())


def row(time: float, event: str, site: str, quantity: float, lot: int = 7,
        **more: Any) -> dict[str, Any]:
    return {"time": time, "event": event, "site": site, "quantity": quantity, "lot": lot,
            "product": more.pop("product", "tea"), **more}


#: Ten leaves go into two teas; of the second, half of its ten units leave the chain.
TWO_TEAS = [
    row(0, "commissioning", "farm", 10.0, product="leaf"),
    row(1, "consuming", "plant", 6.0, lot=8, parent=7, product="leaf"),
    row(1, "commissioning", "plant", 12.0, lot=8),
    row(2, "consuming", "plant", 3.0, lot=9, parent=7, product="leaf"),
    row(2, "commissioning", "plant", 10.0, lot=9),
    row(3, "consuming", "plant", 0.5, lot=0, parent=7, product="leaf"),  # a batch that was scrapped
    row(4, "expiring", "plant", 4.0, lot=8, cause="expiring"),
    row(5, "delivering", "shop", 5.0, lot=9, order=1, role="customer"),
    row(6, "delivering", "cafe", 2.0, lot=8, order=2, role="customer")]


def test_a_recall_says_who_has_how_much_of_a_lot() -> None:
    recall = family_of(TWO_TEAS).recall(7)
    assert recall.lots == (7, 8, 9)
    assert [(hit.site, hit.units, hit.content, hit.orders) for hit in recall.hits] == [
        ("cafe", 2.0, 1.0, (2,)), ("shop", 5.0, 1.5, (1,))]
    assert recall.held == (("farm", 7, 0.5, 0.5), ("plant", 8, 6.0, 3.0), ("plant", 9, 5.0, 1.5))
    assert recall.lost == 0.5 + 4.0 * 0.5
    assert recall.rest == pytest.approx(0.0)


def test_forward_and_backward_are_one_graph() -> None:
    family = family_of(TWO_TEAS)
    assert family.line(7) == [7, 8, 9]
    assert family.line(8, back=True) == [8, 7]
    tree = family.tree(7)
    assert [(one.lot, one.quantity) for one in tree.branches] == [(8, 6.0), (9, 3.0)]


def test_rows_of_one_instant_may_be_told_in_any_order() -> None:
    rows = [row(0, "departing", "farm", 4.0, to_site="shop", shipment=1),
            row(0, "delivering", "shop", 4.0, order=3), row(0, "picking", "farm", 4.0),
            row(0, "arriving", "shop", 4.0, shipment=1), row(0, "commissioning", "farm", 9.0),
            row(0, "storing", "farm", 9.0)]
    account = family_of(rows).account(7)
    assert (account.began, account.unseen, account.jumped) == (9.0, 0.0, 0.0)
    assert account.held == {"farm": 5.0}


def test_handed_over_and_departed_are_one_movement() -> None:
    rows = [row(0, "storing", "W", 9.0, cause="stock"),
            row(1, "shipping", "W", 4.0, to_site="C", shipment=5),
            row(2, "departing", "W", 4.0, to_site="C", shipment=5),
            row(3, "arriving", "C", 4.0, shipment=5), row(3, "receiving", "C", 4.0),
            row(4, "storing", "C", 4.0)]
    account = family_of(rows).account(7)
    assert account.held == {"C": 4.0, "W": 5.0}
    assert [(move.departed, move.arrived, move.quantity) for move in account.moves] == [
        (1.0, 3.0, 4.0)]


def test_what_the_record_does_not_tell_is_said() -> None:
    seen = family_of([row(1, "receiving", "W", 6.0), row(2, "delivering", "shop", 2.0)])
    account = seen.account(7)
    assert (account.how, account.unseen, account.jumped) == ("first seen", 6.0, 2.0)
    assert account.held == {"W": 4.0}


def test_lots_that_went_into_one_another_end_the_walk() -> None:
    """A wrong record must not send a recall round in circles."""
    rows = [row(0, "commissioning", "plant", 5.0), row(0, "commissioning", "plant", 5.0, lot=8),
            row(1, "consuming", "plant", 2.0, lot=8, parent=7),
            row(2, "consuming", "plant", 2.0, lot=7, parent=8)]
    family = family_of(rows)
    assert family.line(7) == [7, 8]
    assert family.tree(7).branches[0].branches[0].again
    assert family.recall(7).rest == pytest.approx(0.0)


def check(events: pd.DataFrame, *, known: Collection[str] = ()) -> None:
    """Every lot adds up, and every unit delivered traces back to what was received."""
    family = Genealogy(events)
    delivered = events[events["event"] == "delivering"]
    made = events[events["event"] == "commissioning"]
    for lot, account in family.accounts(family.lots).items():
        recall = family.recall(lot)
        assert recall.rest == pytest.approx(0.0, abs=1e-6)
        assert account.jumped == pytest.approx(0.0, abs=1e-6)
        if account.product not in known:
            assert account.unseen == pytest.approx(0.0, abs=1e-6), (lot, account.product)
            assert account.how in ("made", "supplied", "opening stock")
        assert account.began == pytest.approx(
            made.loc[made["lot"] == lot, "quantity"].sum()
            + events.loc[(events["lot"] == lot) & (events["event"] == "storing")
                         & (events["cause"] == "stock"), "quantity"].sum())
    for lot in delivered["lot"].unique():
        roots = [one for one in family.line(lot, back=True) if not family.made_of.get(one)]
        assert all(family.account(one).how in ("supplied", "opening stock")
                   for one in roots if family.account(one).product not in known)
    per_lot = delivered[delivered["lot"] > 0].groupby("lot")["quantity"].sum()
    for number, units in per_lot.to_dict().items():
        back = events.loc[(events["lot"] == number) & (events["event"] == "returning"), "quantity"]
        assert family.account(number).delivered == pytest.approx(units - back.sum(), abs=1e-6)


@pytest.mark.long
@quick(12)
@given(networks(), what_ifs())
def test_every_unit_of_a_simulated_ledger_traces_back(network: Network, what: Scenario) -> None:
    ledger = Ledger()
    play(network, what, horizon_h=HOURS, ledger=ledger)
    check(ledger.frame())


def test_what_is_made_holds_what_its_bill_of_materials_says() -> None:
    """Harbour makes juice of bottles and concentrate; nothing of either is lost on the way."""
    network = read_model("harbour")
    life = Operation(network, Scenario.baseline(), seed=5)
    life.run(24.0 * 15)
    events = life.ledger.frame()
    # By-products are put on the shelf without a lot of their own, and PO-1 is at sea as it begins.
    check(events, known={"pomace", "concentrate"})
    family = Genealogy(events)
    lots = [lot for lot in family.lots if family.account(lot).how == "made"]
    assert len(lots) > 20
    for lot in lots:
        parts = {family.account(use.lot).product: 0.0 for use in family.made_of[lot]}
        for use in family.made_of[lot]:
            parts[family.account(use.lot).product] += use.quantity
        share = 0.1 if family.account(lot).product == "juice" else 0.05
        assert parts["concentrate"] == pytest.approx(share * parts["bottles"])
        assert parts["bottles"] >= family.account(lot).quantity - 1e-9  # some break
    bottles = [lot for lot in family.lots if family.account(lot).product == "bottles"]
    recalls = [family.recall(lot) for lot in bottles]
    assert sum(one.quantity for one in recalls) == pytest.approx(
        sum(one.delivered + one.to_stop + one.lost for one in recalls))


def test_the_heard_world_and_the_real_one_have_the_same_genealogy(tmp_path: Path) -> None:
    """What an operation did, and what its systems told of it, give the same recalls."""
    from twin.rehearse.earshot import Earshot
    from twin.rehearse.rehearsal import Rehearsal
    from twin.rehearse.truth import hide
    from twin.sense.history import ledger_of
    from twin.sense.listener import Listener
    from twin.store import Store

    network = read_model("harbour")
    rehearsal = Rehearsal(network, hide(network, seed=3), sensing=False)
    store = Store(tmp_path)
    with Listener(Earshot(rehearsal, 24.0 * 8), store) as listener:
        while listener.step(0.0):
            pass
    real = Genealogy(rehearsal.operation.ledger.frame())
    heard = Genealogy(ledger_of(store.frame(), network.start).frame())
    assert real.lots == heard.lots
    for lot in real.lots:
        mine, other = real.recall(lot), heard.recall(lot)
        assert mine.lots == other.lots
        assert (mine.delivered, mine.to_stop, mine.lost) == pytest.approx(
            (other.delivered, other.to_stop, other.lost))
