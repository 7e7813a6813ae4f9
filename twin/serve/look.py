"""Looking: what there is, what is known, what needs somebody."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Path, Query

from twin.alert import worst_first
from twin.commands.alerts import book_of
from twin.commands.arrivals import foreseen
from twin.commands.look import checked, scenario_rows, titled
from twin.commands.state import moment, sensed
from twin.knowledge import SUBJECTS, Knowledge
from twin.operate.roles import Role
from twin.readings import format_instant
from twin.sense.alerts import AlertBook
from twin.serve import schema
from twin.serve.guard import Calling, plain, router
from twin.serve.house import House
from twin.serve.problem import Problem

routes = router("look")
Moment = Annotated[str, Query(
    description="now, a date such as 2026-05-12T06:00Z, or so long ago as -3d", examples=["now"],
    pattern=r"^(now|-[0-9]{1,4}(min|h|d|w)"
            r"|20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
            r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?Z?)?)$")]
AlertName = Annotated[str, Path(pattern=r"^A-[0-9a-f]{8}$", examples=["A-3f91c07b"])]
Subject = Literal["stock", "lot", "order", "shipment", "truck", "work", "machine", "area"]


@routes.get("/whoami", response_model=schema.Whoami)
def whoami(caller: Calling) -> Any:
    """Who the token stands for, and until when."""
    token = caller.token
    return {"name": token.name, "role": token.role.value, "site": token.site,
            "expires": format_instant(token.expires), "model": caller.house.model}


@routes.get("/models", response_model=schema.Models)
def models(caller: Calling) -> Any:
    """Models and calibrations of the workspace."""
    return {group: {name: titled(content) for name, content
                    in caller.house.workspace.describe(group)}
            for group in ("models", "calibration")}


@routes.get("/scenarios", response_model=list[schema.ScenarioRow])
def scenarios(caller: Calling) -> Any:
    """What-ifs: what each means and needs of a model."""
    return scenario_rows(caller.house.workspace)


@routes.get("/check", response_model=schema.Checked)
def check(caller: Calling) -> Any:
    """Whether the model is sound, and which what-ifs it can play."""
    workspace, problems = caller.house.workspace, []  # type: ignore[var-annotated]
    try:
        found = checked(workspace.network(caller.house.model), None, workspace, problems)
    except ValueError as error:
        problems += str(error).splitlines()
        found = {"model": caller.house.model, "holds": "", "plays": [], "lacks": {}}
    return {**found, "problems": problems}


@routes.get("/state", response_model=schema.Known)
def state(caller: Calling, at: Moment = "now",
          only: Annotated[list[Subject], Query(
              max_length=8, description="kinds of subject; all if blank")] = []) -> Any:  # noqa: B006
    """What is known at a moment: each fact with its age, quality and source.

    Vehicles have pseudonyms for all roles but the fleet's.
    """
    house = caller.house
    known = known_at(house, moment(at, house.store))
    facts = [asdict(fact) for fact in known.select(only or SUBJECTS)]
    said = {"model": known.model, "at": format_instant(known.at), "digest": known.digest(),
            "readings": known.readings, "facts": facts,
            "differences": [asdict(row) for row in known.differences]}
    if caller.role is not Role.FLEET:
        for fact in facts:
            # A device on board tells who drives as well as the name of the truck does.
            if fact["kind"] == "truck" and fact["quality"] != "assumed":
                fact["source"] = house.masks.name(fact["source"])
        said = house.masks.document(said)
    return plain(said)


def known_at(house: House, at: float) -> Knowledge:
    """What is known of the model of a house at a moment (s since 1970)."""
    return house.knowledge(at, lambda at: foreseen(
        *sensed(house.store, house.network, at), house.network))


@routes.get("/alerts", response_model=list[schema.AlertRow])
def alerts(caller: Calling, every: Annotated[bool, Query(
        description="those that are over and acknowledged as well")] = False) -> Any:
    """What somebody should look at, worst first."""
    found = worst_first(one for one in _book(caller.house).all().values() if one.open or every)
    return _told(caller, [one.document() for one in found])


@routes.post("/alerts/{name}/acknowledge", response_model=schema.AlertRow)
def acknowledge(caller: Calling, name: AlertName,
                body: schema.Acknowledgement) -> Any:
    """Say that somebody has looked at an alert."""
    book = _book(caller.house)
    try:
        book.find(name)
    except ValueError as error:
        raise Problem(404, str(error)) from None
    done = book.acknowledge(name, caller.name, body.comment, time.time())
    return _told(caller, done.document())


def _book(house: House) -> AlertBook:
    return book_of(house.workspace, house.network, house.store)


def _told(caller: Calling, said: Any) -> Any:
    return plain(said if caller.role is Role.FLEET else caller.house.masks.document(said))
