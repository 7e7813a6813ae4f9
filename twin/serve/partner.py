"""Partners: a supplier's items and a customer's orders, field by field as agreed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from fastapi.responses import StreamingResponse

from twin.commands.state import moment
from twin.serve.guard import Calling, plain, router
from twin.serve.look import known_at
from twin.serve.partners import customer_orders as orders_of
from twin.serve.partners import supplier_items as items_of
from twin.serve.problem import Problem
from twin.serve.stream import DESCRIBED, News, last_heard, stream

routes = router("partners")
Site = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$", examples=["glassworks"])]
ItemField = Literal["stock", "on_order", "consumption", "forecast"]
OrderField = Literal["quantity", "promise", "eta", "chance_late", "source"]
_QUARTER = 15  # minutes: an expected time that moves by less is no news


def agreed(caller: Calling, site: str, asked: Sequence[str], partners: Any,
           word: str) -> list[str]:
    """The fields to show: those asked for, or all that were agreed.

    Raises
    ------
    Problem
        403 for another's site, for a site with which nothing is agreed, and for any field that is
        not.
    """
    caller.must_see(site)
    terms = partners.get(site)
    if terms is None:
        raise Problem(403, f"nothing is agreed with a {word} '{site}'.")
    beyond = [field for field in asked if field not in terms.fields]
    if beyond:
        raise Problem(403, f"{beyond[0]} is not agreed with {site}. Agreed: "
                           f"{', '.join(terms.fields)}.")
    return list(dict.fromkeys(asked or terms.fields))


@routes.get("/suppliers/{site}/items", response_model=list[dict[str, Any]])
def supplier_items(caller: Calling, site: Site, field: Annotated[list[ItemField], Query(
        max_length=4, description="all that are agreed if blank")] = []) -> Any:  # noqa: B006
    """What a supplier may fill: stock, consumption and forecast of its own items."""
    house = caller.house
    fields = agreed(caller, site, field, house.agreement.suppliers, "supplier")
    known = known_at(house, moment("now", house.store))
    return plain(items_of(house.network, house.store, known, site, fields))


@routes.get("/customers/{site}/orders", response_model=list[dict[str, Any]])
def customer_orders(caller: Calling, site: Site, field: Annotated[list[OrderField], Query(
        max_length=5, description="all that are agreed if blank")] = []) -> Any:  # noqa: B006
    """A customer's open orders: what was promised, and when they are expected."""
    house = caller.house
    fields = agreed(caller, site, field, house.agreement.customers, "customer")
    return plain(orders_of(house.network, house.store, site, fields,
                           moment("now", house.store)))


@routes.get("/customers/{site}/orders/events", response_class=StreamingResponse,
            responses=DESCRIBED)
def customer_events(request: Request, caller: Calling, site: Site, once: Annotated[
        bool, Query(description="send what there is and end")] = False) -> Any:
    """A customer's orders as they change, as server-sent events: all at first, then what moved.

    A number is the second of the last reading behind it. After a break all orders come again if
    anything was heard since.
    """
    house = caller.house
    fields = agreed(caller, site, (), house.agreement.customers, "customer")
    seen: dict[tuple[str, str], str] = {}

    def look(after: int) -> tuple[list[News], bool]:
        mark = house.store.watermark()
        if mark is None or int(mark) <= after:
            return [], False
        news: list[News] = []
        rows = plain(orders_of(house.network, house.store, site, fields, mark))
        there = {(row["order"], row["product"]): row for row in rows}
        for key, row in there.items():
            print_ = _fingerprint(row)
            if seen.get(key) != print_:
                seen[key] = print_
                news.append((int(mark), "order", row))
        for key in [key for key in seen if key not in there]:
            del seen[key]
            news.append((int(mark), "delivered", {"order": key[0], "product": key[1]}))
        return news, False

    return stream(request, caller, look, last_heard(request, 0), once=once)


def _fingerprint(row: dict[str, Any]) -> str:
    """A mark of a row that stays while its times move by less than a quarter of an hour."""
    rough = dict(row)
    if isinstance(rough.get("eta"), dict):
        rough["eta"] = {name: _rough(text) for name, text in rough["eta"].items()}
    if isinstance(rough.get("chance_late"), float):
        rough["chance_late"] = round(rough["chance_late"], 1)
    return hashlib.sha256(json.dumps(rough, sort_keys=True).encode()).hexdigest()


def _rough(instant: str) -> str:
    return f"{instant[:14]}{int(instant[14:16]) // _QUARTER}"
