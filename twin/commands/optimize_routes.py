"""``twin optimize routes``: which truck calls where, in which order."""

from __future__ import annotations

from datetime import datetime

from twin.commands.folder import fresh, point
from twin.commands.optimize_stocking import state_of
from twin.commands.planning import clock_of, open_hours, price, progress_of, seconds
from twin.commands.replay import PAIRS, document, lines, replay, write
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.plan import Plan
from twin.settings import KEYS, Key, describe, maybe, read, text

SETTINGS: dict[str, Key] = {key.name: key for key in (
    Key("models", "which model", "medicines", text),
    Key("calibration", "which learned values go into its cells", "nominal", text),
    Key("from", "a state document; blank: the state after the model's own warm-up", "", text),
    Key("limit", "seconds of the clock at most; the search is counted in work", "10s", seconds),
    Key("leave_price", "of leaving a waiting load for a later trip; blank: ten times its own trip "
        "there and back", "", maybe(price)),
    PAIRS, KEYS["seed"], KEYS["simulate.workers"], KEYS["report"],
)}

_AFTER = 168.0  #: hours after the last truck is back that are played too: goods left have to go

ABOUT = """\
twin optimize routes [key=value ...]

Routes for a model's own trucks from a state: goods that wait, trucks on the road from where they
are, capacities, opening hours, refrigeration, driver hours. Two engines are raced, their routes
pooled, and the best set proved feasible by a separate checker. Trucks that drive them are played
against today's dispatching. Writes plan.json, routes.csv, replay.csv, routes.png (a map),
times.png, progress.png and report.html.

  twin optimize routes models=harbour
  twin optimize routes models=medicines limit=30s leave_price=500

""" + describe(SETTINGS)


def routes_plan(call: Call) -> int:
    """Make routes, show them, write them."""
    from twin.optimize.route_plan import plan_routes
    from twin.scenario import Scenario
    from twin.simulate.play import play

    asked = read(call.arguments, SETTINGS, "optimize routes")
    network = call.workspace.calibration(asked["calibration"]).apply(
        call.workspace.network(asked["models"]))
    state = state_of(asked["from"], network, asked["seed"])
    if state is None:
        state = play(network, Scenario.baseline(), horizon_h=1.0, seed=asked["seed"],
                     save_at=0.0).state
    assert state is not None
    screen = call.screen
    with screen.working("Searching"):
        plan = plan_routes(network, state, hours=open_hours(network), seconds=asked["limit"],
                           seed=asked["seed"], penalty=asked["leave_price"],
                           watcher=progress_of(screen))
    folder = fresh(call.output, f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{plan.model[:80]}-routes")
    plan.write(folder / "plan.json")
    rows = ["truck,site,arrive_h,start_h,leave_h,orders"]
    rows += [f"{route.truck},{v.site},{v.arrive:.4f},{v.start:.4f},{v.leave:.4f},"
             f"{' '.join(str(order) for order, _, _ in v.drops)}"
             for route in plan.routes for v in route.visits]
    (folder / "routes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    hours = max((route.back for route in plan.routes), default=state.clock_h) - state.clock_h
    hours += _AFTER
    with screen.working("Playing it"):
        found = replay(network, plan, state, horizon_h=hours, count=asked["pairs"],
                       seed=asked["seed"], workers=asked["simulate.workers"]
                       ) if plan.routes else ()
    write(found, folder)
    if asked["report"] == "yes":
        with screen.working("Drawing"):
            from twin.measure.gantt import progress
            from twin.measure.plan_report import write_plan_report
            from twin.measure.route_map import route_map, route_times

            for name, picture in (("routes", route_map(plan, network)),
                                  ("times", route_times(plan)), ("progress", progress(plan))):
                picture.savefig(folder / f"{name}.png", dpi=130)
            write_plan_report(plan, folder)
    point(call.output / "latest", folder)
    if screen.as_json:
        screen.print_json({"folder": folder.as_posix(), "plan": plan.document(),
                           "replay": document(found)})
    else:
        show(plan, screen)
        for line in lines(found, hours):
            screen.say(line)
    return 0


def show(plan: Plan, screen: Screen) -> None:
    """The answer, the stops by truck, the reasons."""
    answer = plan.answer
    cost = "" if answer.objective is None else f", {answer.objective:,.4g} {answer.unit}"
    screen.say(f"{plan.model}: {answer.status.value}{cost}, {len(plan.routes)} routes, by "
               f"{answer.engine or 'nobody'} in {answer.seconds:.1f} s, stopped by "
               f"{answer.stopped_by}")
    for route in plan.routes:
        screen.say(f"{route.truck}: leaves {route.depot} {clock_of(route.depart)}, back "
                   f"{clock_of(route.back)}, {route.km:,.0f} km, {route.cost:,.2f}, "
                   f"{route.co2e_kg:,.1f} kg CO2e")
        for visit in route.visits:
            units = sum(abs(u) for _, _, u in visit.drops)
            screen.say(f"   {clock_of(visit.start):>14}  {visit.site:<24} {units:,.0f} units")
    for reason in answer.reasons[:20]:
        screen.say(f"{reason.kind}: {reason.subject}: {reason.message}.")
