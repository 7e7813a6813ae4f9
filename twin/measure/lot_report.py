"""The page of a lot: one HTML file that opens anywhere and asks for nothing outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twin.measure.lot_trace import climate_line, figure


def lot_page(trace: Mapping[str, Any], source: str = "") -> str:
    """The page of a trace (`twin.measure.lot_trace.trace_of`).

    Parameters
    ----------
    source
        Where it was read, in words.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from twin.ledger import Ledger
    >>> from twin.measure.genealogy import Genealogy
    >>> from twin.measure.lot_trace import trace_of
    >>> ledger = Ledger()
    >>> _ = ledger.add(0, "commissioning", site="farm", product="tea <b>", lot=7, quantity=4)
    >>> page = lot_page(trace_of(Genealogy(ledger.frame()), 7, datetime(2025, 1, 6, tzinfo=UTC)))
    >>> "tea &lt;b&gt;" in page, "tea <b>" in page
    (True, False)
    """
    room = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True,
                       undefined=StrictUndefined)
    touched = trace["touched"]
    return room.get_template("lot_report.html.j2").render(
        t=trace, source=source,
        customers=[(hit["site"], hit["product"], figure(hit["units"]), figure(hit["content"]),
                    ", ".join(hit["lots"]), ", ".join(hit["orders"]), hit["first"], hit["last"])
                   for hit in trace["customers"]],
        held=[(row["place"], row["lot"], row["product"], figure(row["units"]),
               figure(row["content"])) for row in trace["held"]],
        touched=[(what, ", ".join(touched[key])) for what, key in (
            ("machines, for its order", "machines"), ("lanes and trucks", "carriers"),
            ("sites", "sites")) if touched[key]],
        climates=[(row["lot"], climate_line(row).partition(": ")[2])
                  for row in trace["temperatures"]],
        moves=[(move["departed"], move["arrived"] or "under way", move["from"], move["to"],
                figure(move["quantity"]), move["shipment"], move["by"])
               for move in trace["shipments"]],
        losses=[(row["time"], row["site"], figure(row["quantity"]), row["cause"])
                for row in trace["losses"]])
