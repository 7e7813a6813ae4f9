"""Routes for a state: the problem of the moment, raced, checked, with reasons, as a plan."""

from __future__ import annotations

from dataclasses import replace

from twin.network import Network
from twin.optimize.engine import out_of_reach
from twin.optimize.route_checker import faults
from twin.optimize.route_problem import RouteProblem
from twin.optimize.route_race import Outcome, Watcher, race
from twin.optimize.route_reasons import reasons
from twin.optimize.route_state import Hours, Round, round_of
from twin.optimize.route_times import Tour, leg_km, score, tour_co2e, tour_cost
from twin.plan import Answer, Plan, Reason, Route, Status, Visit
from twin.state import State


def solve_routes(problem: RouteProblem, *, seconds: float = 10.0, seed: int = 1,
                 counted: bool = True, watcher: Watcher | None = None
                 ) -> tuple[tuple[Tour, ...], Answer]:
    """The best routes found, proved feasible by the checker, and the answer on them.

    Stops that no truck can serve are left out and named; where such a stop must be served the
    answer is infeasible, with the reason, and the routes serve the others.
    """
    gone = out_of_reach(problem)
    easier = replace(problem, stops=tuple(
        replace(stop, penalty=0.0) if n in gone else stop for n, stop in enumerate(problem.stops)))
    done = race(easier, seconds=seconds, seed=seed, counted=counted, watcher=watcher)
    tours = tuple(tour for tour in done.tours or () if tour.calls)
    broken = faults(problem, tours, complete=False)
    if broken:  # a plan that the checker refuses is never shown
        raise AssertionError("; ".join(broken[:3]))
    return tours, _answer(problem, tours, done)


def _answer(problem: RouteProblem, tours: tuple[Tour, ...], done: Outcome) -> Answer:
    value = score(problem, tours)
    why = (*reasons(problem, tours), *_price_of_trucks(problem, done))
    never = any(reason.kind == "conflict" for reason in why) and bool(out_of_reach(problem) - {
        n for n, stop in enumerate(problem.stops) if stop.penalty is not None})
    if value.missing:
        status = Status.INFEASIBLE if never or done.proved else Status.UNKNOWN
    else:
        status = Status.OPTIMAL if done.proved else Status.FEASIBLE
    return Answer(status, value.cost, value.cost if done.proved and not value.missing else None,
                  "", done.engine, done.seconds, done.work, done.stopped_by,
                  done.progress[0].objective if done.progress else None, done.progress, why)


def _price_of_trucks(problem: RouteProblem, done: Outcome) -> tuple[Reason, ...]:
    """What one more truck of a kind would save, by the pool's linear relaxation."""
    found = []
    for group, price in zip(problem.kinds(), done.prices, strict=False):
        if price > 1e-6:
            name = problem.trucks[group[0]].name
            such = "it is" if len(group) == 1 else f"all {len(group)} such are"
            found.append(Reason("binding", name, f"{such} used; one more like it would save up to "
                                                 f"{price:,.6g}", price))
    return tuple(found)


def plan_routes(network: Network, state: State, *, hours: Hours | None = None,
                seconds: float = 10.0, seed: int = 1,
                penalty: float | None = None, counted: bool = True,
                watcher: Watcher | None = None) -> Plan:
    """Routes from the live state: what waits for own trucks, and trucks mid-leg.

    Parameters
    ----------
    hours
        Opening hours of calendars, as ``(calendar, site, begin, end) -> spans``.
    penalty
        Of leaving a waiting load for a later trip; see `twin.optimize.route_state.round_of`.

    Returns
    -------
    Plan
        Of kind ``routes``; times in hours from the start of the model.
    """
    now = state.clock_h
    work = round_of(network, state, hours=hours, penalty=penalty)
    aside = tuple(Reason("conflict", name, why) for name, why in work.waiting)
    if work.problem is None:
        status = Status.INFEASIBLE if aside else Status.OPTIMAL
        return Plan("routes", network.name, now, Answer(
            status, 0.0, 0.0, network.currency, "none needed", reasons=aside),
            state_digest=state.digest())
    tours, answer = solve_routes(work.problem, seconds=seconds, seed=seed, counted=counted,
                                 watcher=watcher)
    answer = replace(answer, unit=network.currency, reasons=(*aside, *answer.reasons),
                     status=Status.INFEASIBLE if aside else answer.status)
    return Plan("routes", network.name, now, answer,
                routes=tuple(_route(work, tour, now) for tour in tours),
                state_digest=state.digest())


def _route(work: Round, tour: Tour, now: float) -> Route:
    problem = work.problem
    assert problem is not None
    visits = tuple(Visit(work.sites[call.stop], now + call.arrive, now + call.start,
                         now + call.leave, work.drops[call.stop]) for call in tour.calls)
    return Route(work.names[tour.truck], work.depots[tour.truck], now + tour.depart,
                 now + tour.back, visits, sum(leg_km(problem, tour.trip)),
                 tour_cost(problem, tour), tour_co2e(problem, tour.trip))
