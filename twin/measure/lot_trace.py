"""The trace of a lot as one document of plain values: what a page, a file and a program show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from twin.measure.genealogy import Branch, Genealogy
from twin.measure.lot_account import Account

_SAME = 1e-6


def trace_of(family: Genealogy, lot: int, start: datetime, *,
             names: Mapping[int, str] | None = None,
             climates: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """Where a lot came from, what it went through, and where it went.

    Parameters
    ----------
    start
        The moment of hour 0.
    names
        Number in the ledger -> name of a lot, order or shipment, where it has one.
    climates
        Name of a lot -> what temperatures it saw.

    Raises
    ------
    ValueError
        If the ledger has no such lot.

    Examples
    --------
    >>> from datetime import UTC
    >>> from twin.ledger import Ledger
    >>> ledger = Ledger()
    >>> for time, event, site in [(0, "commissioning", "farm"), (9, "delivering", "shop")]:
    ...     _ = ledger.add(time, event, site=site, product="tea", lot=7, quantity=4, order=1)
    >>> said = trace_of(Genealogy(ledger.frame()), 7, datetime(2025, 1, 6, tzinfo=UTC))
    >>> said["began"]["how"], said["customers"][0]["site"], said["balance"]["delivered"]
    ('supplied', 'shop', 4.0)
    """
    known = names or {}

    def name(number: int) -> str:
        return known.get(number, str(number))

    def when(hours: float) -> str:
        if hours != hours:
            return ""
        return (start + timedelta(hours=hours)).isoformat(timespec="seconds").replace("+00:00", "Z")

    account = family.account(lot)
    if not account.product:
        raise ValueError(f"lot '{name(lot)}' moves no goods in this ledger.")
    recall = family.recall(lot)
    felt = climates or {}
    return {
        "lot": name(lot), "product": account.product,
        "began": {"how": account.how, "site": account.place, "time": when(account.time),
                  "quantity": account.quantity},
        "made_of": _tree(family.tree(lot, back=True), name, when),
        "went_into": _tree(family.tree(lot), name, when),
        "touched": {"machines": list(family.machines(lot)), "carriers": list(account.carriers),
                    "sites": _sites(account)},
        "shipments": [{"departed": when(move.departed), "arrived": when(move.arrived),
                       "from": move.origin, "to": move.destination, "quantity": move.quantity,
                       "shipment": name(move.shipment) if move.shipment else "", "by": move.by}
                      for move in account.moves],
        "losses": [{**asdict(loss), "time": when(loss.time)} for loss in account.losses],
        "customers": [{"site": hit.site, "product": hit.product, "units": hit.units,
                       "content": hit.content, "lots": list(map(name, hit.lots)),
                       "orders": list(map(name, hit.orders)), "first": when(hit.first),
                       "last": when(hit.last)} for hit in recall.hits],
        "held": [{"place": place, "lot": name(one), "product": family.account(one).product,
                  "units": units, "content": content}
                 for place, one, units, content in recall.held],
        "lots": [name(one) for one in recall.lots],
        "temperatures": [{"lot": name(one), **felt[name(one)]}
                         for one in dict.fromkeys([*recall.lots, *family.line(lot, back=True)])
                         if name(one) in felt],
        "balance": {"units": recall.quantity, "delivered": recall.delivered,
                    "to_stop": recall.to_stop, "lost": recall.lost, "rest": recall.rest},
        "gaps": _gaps([family.account(one) for one in recall.lots], name),
    }


def _tree(branch: Branch, name: Callable[[int], str],
          when: Callable[[float], str]) -> dict[str, Any]:
    return {"lot": name(branch.lot), "product": branch.product, "site": branch.site,
            "time": when(branch.time), "quantity": branch.quantity, "again": branch.again,
            "branches": [_tree(one, name, when) for one in branch.branches]}


def _sites(account: Account) -> list[str]:
    found = dict.fromkeys([account.place])
    for move in sorted(account.moves, key=lambda move: move.departed):
        found |= {move.origin: None, move.destination: None}
    return [*found, *(one.site for one in account.deliveries if one.site not in found)]


def _gaps(accounts: list[Account], name: Callable[[int], str]) -> list[str]:
    """What the ledger does not tell, in words."""
    found = []
    for one in accounts:
        if one.unseen > _SAME:
            found.append(f"{one.unseen:g} units of lot {name(one.lot)} ({one.product}) were there "
                         "already when the record first saw them; what they were made of is not "
                         "known.")
        if one.jumped > _SAME:
            found.append(f"{one.jumped:g} units of lot {name(one.lot)} ({one.product}) left a "
                         "place to which no record had brought them.")
    return found


def lines_of(trace: Mapping[str, Any]) -> list[str]:
    """A trace as lines to read."""
    began, balance = trace["began"], trace["balance"]
    said = [f"Lot {trace['lot']}: {_units(began['quantity'])} of {trace['product']}, "
            f"{began['how']} at {began['site']}, {began['time']}"]
    said += _section("Made of", list(_branches(trace["made_of"])))
    touched = trace["touched"]
    said += _section("Touched by", [f"{what}: {', '.join(touched[key])}" for what, key in (
        ("machines, for its order", "machines"), ("lanes and trucks", "carriers"),
        ("sites", "sites")) if touched[key]])
    said += _section("Moved", [
        f"{move['departed']}  {move['from']} to {move['to']}: {_units(move['quantity'])}, "
        + (f"shipment {move['shipment']}, " if move["shipment"] else "")
        + (f"there {move['arrived']}" if move["arrived"] else "under way")
        for move in trace["shipments"]])
    said += _section("Went into", list(_branches(trace["went_into"])))
    said += _section("Temperature", [climate_line(row) for row in trace["temperatures"]])
    said += _section("Customers who have some of it", [
        f"{hit['site']}: {_units(hit['units'])} of {hit['product']}"
        + ("" if hit["lots"] == [trace["lot"]] else
           f" with {_units(hit['content'])} of the lot, in {len(hit['lots'])} lots")
        + f", orders {_some(hit['orders'])}" for hit in trace["customers"]])
    said += _section("Still to be stopped", [
        f"{row['place']}: {_units(row['units'])} of {row['product']}, lot {row['lot']}"
        for row in trace["held"]])
    said += _section("Thrown away", [
        f"{row['time']}  {row['site']}: {_units(row['quantity'])} ({row['cause']})"
        for row in trace["losses"]])
    said.append(f"Balance: {figure(balance['units'])} = {figure(balance['delivered'])} delivered"
                f" + {figure(balance['to_stop'])} still there + {figure(balance['lost'])} lost, "
                f"in units of lot {trace['lot']}")
    return said + [f"Not known: {gap}" for gap in trace["gaps"]]


def _section(title: str, rows: list[str], most: int = 20) -> list[str]:
    shown = rows[:most] + ([f"... and {len(rows) - most} more"] if len(rows) > most else [])
    return [f"{title}:", *(f"  {row}" for row in shown)] if rows else []


def _branches(tree: Mapping[str, Any], depth: int = 0) -> Any:
    for branch in tree["branches"]:
        yield ("  " * depth + f"{_units(branch['quantity'])} of "
               + (f"lot {branch['lot']} ({branch['product']}), {branch['site']}, {branch['time']}")
               + (" (its branches stand above)" if branch["again"] else ""))
        yield from _branches(branch, depth + 1)


def climate_line(row: Mapping[str, Any]) -> str:
    if not row.get("readings"):
        return f"lot {row['lot']}: {row.get('said', 'nothing was measured around it')}"
    outside = row["hours_outside"]
    return (f"lot {row['lot']}: {row['lowest']:.1f} to {row['highest']:.1f} C (warmest at "
            f"{row['where']}), mean kinetic {row['kinetic_c']:.1f} C, "
            + (f"{outside:.1f} h outside its range" if outside else "always in its range")
            + f"; {row['readings']:,} readings")


def _units(value: float) -> str:
    return f"{figure(value)} units"


def figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _some(orders: list[str], most: int = 6) -> str:
    if not orders:
        return "unnamed"
    more = f" and {len(orders) - most} more" if len(orders) > most else ""
    return ", ".join(orders[:most]) + more
