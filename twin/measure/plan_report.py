"""The report of a plan: one HTML file with the answer, the pictures, the reasons and what to do."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from twin.measure.style import number
from twin.plan import Plan

_MOST = 2000


def write_plan_report(plan: Plan, folder: Path) -> Path:
    """Write `report.html` beside the pictures of a plan; gives the file."""
    answer = plan.answer
    facts = [("Status", answer.status.value), ("Objective", _figure(answer.objective, answer.unit)),
             ("Bound", _figure(answer.bound, answer.unit)),
             ("Best dispatch rule" if plan.operations else "Today", _figure(answer.start,
                                                                            answer.unit)),
             ("Found by", answer.engine), ("Stopped by", answer.stopped_by),
             ("Seconds", f"{answer.seconds:.1f}"), ("Made at", f"{plan.made_h:g} h")]
    parts = [f"<h1>{escape(plan.kind.title())} of {escape(plan.model)}</h1>", "<dl>",
             *(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts), "</dl>"]
    for name in ("gantt", "routes", "times", "progress", "frontier"):
        file = folder / f"{name}.png"
        if file.exists():
            data = base64.b64encode(file.read_bytes()).decode()
            parts.append(f'<img alt="{name}" src="data:image/png;base64,{data}">')
    if answer.reasons:
        parts += ["<h2>Why</h2><ul>", *(
            f"<li><b>{escape(reason.kind.replace('_', ' '))}</b> {escape(reason.message)}</li>"
            for reason in answer.reasons), "</ul>"]
    if plan.operations:
        parts += ["<h2>Operations</h2><table><tr><th>Machine<th>Begins, h<th>Ends, h<th>Order"
                  "<th>Lot<th>Step<th>Product</tr>", *(
                      f"<tr><td>{escape(one.machine)}<td>{one.start:.2f}<td>{one.end:.2f}"
                      f"<td>{one.order or ''}<td>{one.lot}<td>{one.step}"
                      f"<td>{escape(one.product)}</tr>" for one in plan.operations[:_MOST]),
                  "</table>"]
    if plan.routes:
        parts += ["<h2>Routes</h2><table><tr><th>Truck<th>Stop<th>Arrives, h<th>Service, h"
                  "<th>Leaves, h<th>Units</tr>", *(
                      f"<tr><td>{escape(route.truck)}<td>{escape(one.site)}<td>{one.arrive:.2f}"
                      f"<td>{one.start:.2f}<td>{one.leave:.2f}"
                      f"<td>{sum(units for _, _, units in one.drops):,.0f}</tr>"
                      for route in plan.routes for one in route.visits[:_MOST]), "</table>"]
    if plan.services:
        parts += ["<h2>Services</h2><ul>", *(
            f"<li>{escape(one.asset)} ({escape(one.cause)}): {one.start:.2f} to {one.end:.2f} h"
            "</li>" for one in plan.services), "</ul>"]
    file = folder / "report.html"
    file.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv='
        '"Content-Security-Policy" content="default-src \'none\'; img-src data:; style-src '
        f'\'unsafe-inline\'"><title>{escape(plan.model)}: {escape(plan.kind)}</title><style>'
        "body{font:15px sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
        "img{max-width:100%}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}"
        "dt{color:#5d6b78}dd{margin:0}table{border-collapse:collapse}td,th{padding:.15rem .6rem;"
        "text-align:left;border-bottom:1px solid #e3e8ec}</style>" + "\n".join(parts) + "</html>\n",
        encoding="utf-8")
    return file


def _figure(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{number(value)} {unit}"
