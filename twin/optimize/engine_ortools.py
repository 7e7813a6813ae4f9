"""OR-Tools routing as an engine: everything that a problem can say, driver hours included.

Guided local search with a few cheap moves beat the default set on most public instances and lost on
some, so that the seed chooses between two sets. Matrices are handed over whole: a Python callback
would be asked millions of times.
"""

from __future__ import annotations

from math import inf
from typing import Any

from ortools.constraint_solver import (  # type: ignore[import-untyped]
    routing_enums_pb2 as enums_pb2,
)
from ortools.constraint_solver import routing_parameters_pb2 as parameters_pb2
from ortools.constraint_solver.pywrapcp import (  # type: ignore[import-untyped]
    DefaultRoutingSearchParameters,
    RoutingIndexManager,
    RoutingModel,
)
from ortools.util import optional_boolean_pb2  # type: ignore[import-untyped]

from twin.optimize.engine import Found, Limit, Told, Trips, out_of_reach
from twin.optimize.engine_whole import FAR, Whole
from twin.optimize.route_problem import RouteProblem, Trip

#: Branches that a second of work stands for; about half of what a quiet core does.
BRANCHES = 600
_MOVES = ("use_relocate", "use_exchange", "use_cross", "use_two_opt", "use_or_opt",
          "use_cross_exchange")
_PAIRED = ("use_relocate_pair", "use_light_relocate_pair", "use_exchange_pair",
           "use_relocate_neighbors", "use_node_pair_swap_active")


def lacks(problem: RouteProblem) -> str:
    """What this engine cannot say: nothing."""
    return ""


def solve(problem: RouteProblem, limit: Limit, seed: int, told: Told,
          start: Trips | None = None) -> Found:
    """Search with OR-Tools; see `twin.optimize.engine`."""
    model = _Model(problem)
    return model.search(limit, seed, told, start)


def _parameters(problem: RouteProblem, limit: Limit, seed: int
                ) -> parameters_pb2.RoutingSearchParameters:
    chosen = DefaultRoutingSearchParameters()
    first = enums_pb2.FirstSolutionStrategy
    chosen.first_solution_strategy = (
        first.PARALLEL_CHEAPEST_INSERTION if problem.pairs or len(problem.kinds()) > 1
        or any(stop.windows[-1][1] < inf for stop in problem.stops)  # the nearest next may be late
        else first.PATH_CHEAPEST_ARC)
    chosen.local_search_metaheuristic = enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    # With hardly a move to make the search goes round without a branch to count: a second guard.
    seconds = limit.seconds if limit.work is None else min(limit.seconds, 10.0 * limit.work + 0.5)
    chosen.time_limit.FromMilliseconds(max(1, int(seconds * 1000)) if limit.clock == "wall"
                                       else 3_600_000)
    if seed % 2 and not problem.pairs:
        moves = chosen.local_search_operators
        optional = any(stop.penalty is not None for stop in problem.stops)
        for field in moves.DESCRIPTOR.fields:
            if field.name not in _MOVES + _PAIRED and not (optional and "active" in field.name):
                setattr(moves, field.name, optional_boolean_pb2.BOOL_FALSE)
        for name in _MOVES:
            setattr(moves, name, optional_boolean_pb2.BOOL_TRUE)
    return chosen


class _Model:
    """The problem in OR-Tools' words: node n is stop n, then two nodes a truck."""

    def __init__(self, problem: RouteProblem) -> None:
        self.problem, self.whole = problem, Whole(problem)
        stops, trucks = len(problem.stops), len(problem.trucks)
        self.place = [s.place for s in problem.stops]
        starts, ends = [], []
        for truck in problem.trucks:
            starts.append(len(self.place))
            self.place.append(truck.start)
            ends.append(len(self.place))
            self.place.append(-1 if truck.end is None else truck.end)
        self.manager = RoutingIndexManager(len(self.place), trucks, starts, ends)
        self.model = RoutingModel(self.manager)
        self.index = [self.manager.NodeToIndex(n) for n in range(stops)]
        self.time = self._time()
        self._money()
        self._loads()
        self._choice()
        self._pairs()
        self._driver_hours()

    def _matrix(self, values: Any, extra: list[int] | None = None) -> list[list[int]]:
        """Between nodes instead of places; a place of -1 costs nothing to reach."""
        rows = values.tolist()
        return [[(0 if a < 0 or b < 0 else rows[a][b]) + (extra[n] if extra else 0)
                 for b in self.place] for n, a in enumerate(self.place)]

    def _time(self) -> Any:
        """Hours: travel and service, windows, working time, cost of hours."""
        problem, whole, model = self.problem, self.whole, self.model
        service = [whole.span(s.service) for s in problem.stops] + [0] * 2 * len(problem.trucks)
        self.service = service
        known: dict[float, int] = {}
        transits = []
        for number, truck in enumerate(problem.trucks):
            if truck.pace not in known:
                known[truck.pace] = model.RegisterTransitMatrix(
                    self._matrix(whole.travel(number), service))
            transits.append(known[truck.pace])
        ends = [w[1] for s in problem.stops for w in s.windows] + [
            t.latest for t in problem.trucks]
        moments = [abs(whole.opening(w[0])) for s in problem.stops for w in s.windows] + [
            abs(whole.opening(t.earliest)) for t in problem.trucks] + [
            whole.closing(e) for e in ends if e < inf]
        horizon = min(FAR, max(moments, default=0) + sum(service) + int(
            sum(max(int(whole.travel(g[0])[p].max()) for g in problem.kinds())
                for p in self.place if p >= 0)) + len(self.place) * max(
            (whole.span(t.hours.rest) for t in problem.trucks if t.hours), default=0))
        model.AddDimensionWithVehicleTransits(transits, horizon, horizon, False, "time")
        time = model.GetDimensionOrDie("time")
        for number, stop in enumerate(problem.stops):
            cumul = time.CumulVar(self.index[number])
            cumul.SetRange(max(0, whole.opening(stop.windows[0][0])),
                           min(horizon, whole.closing(stop.windows[-1][1])))
            for (_, close), (begin, _) in zip(stop.windows, stop.windows[1:], strict=False):
                if whole.opening(begin) > whole.closing(close) + 1:
                    cumul.RemoveInterval(whole.closing(close) + 1, whole.opening(begin) - 1)
        for number, truck in enumerate(problem.trucks):
            low, high = max(0, whole.opening(truck.earliest)), min(horizon,
                                                                   whole.closing(truck.latest))
            for node in (model.Start(number), model.End(number)):
                time.CumulVar(node).SetRange(low, high)
            rate = round(truck.per_hour * whole.cents / whole.ticks)
            if rate:
                time.SetSpanCostCoefficientForVehicle(rate, number)
            model.AddVariableMinimizedByFinalizer(time.CumulVar(model.End(number)))
            model.AddVariableMaximizedByFinalizer(time.CumulVar(model.Start(number)))
        return time

    def _money(self) -> None:
        """Cost of kilometres and of using a truck."""
        known: dict[float, int] = {}
        for number, truck in enumerate(self.problem.trucks):
            if truck.per_km not in known:
                known[truck.per_km] = self.model.RegisterTransitMatrix(
                    self._matrix(self.whole.cost(number)))
            self.model.SetArcCostEvaluatorOfVehicle(known[truck.per_km], number)
            self.model.SetFixedCostOfVehicle(self.whole.fixed(number), number)

    def _loads(self) -> None:
        """Capacities; with both kinds of stop, what is brought and the total are told apart."""
        problem, whole, model = self.problem, self.whole, self.model
        paired = {stop for pair in problem.pairs for stop in pair}
        for kind in range(problem.dimensions):
            holds = [whole.capacity(t, kind) for t in range(len(problem.trucks))]
            loads = [-whole.load(s, kind) for s in range(len(problem.stops))]
            brought = [min(0, q) if s not in paired else 0 for s, q in enumerate(loads)]
            rest = [0] * 2 * len(problem.trucks)
            total = model.RegisterUnaryTransitVector(loads + rest)
            outward = any(brought)
            model.AddDimensionWithVehicleCapacity(total, 0, holds, not outward, f"load {kind}")
            if not outward:
                continue
            dimension = model.GetDimensionOrDie(f"load {kind}")
            if all(q <= 0 for s, q in enumerate(loads) if s not in paired):
                for truck in range(len(problem.trucks)):
                    dimension.CumulVar(model.End(truck)).SetValue(0)
                continue
            model.AddDimensionWithVehicleCapacity(
                model.RegisterUnaryTransitVector(brought + rest), 0, holds, False,
                f"brought {kind}")
            only = model.GetDimensionOrDie(f"brought {kind}")
            for truck in range(len(problem.trucks)):
                only.CumulVar(model.End(truck)).SetValue(0)
                model.solver().Add(only.CumulVar(model.Start(truck))
                                   == dimension.CumulVar(model.Start(truck)))

    def _choice(self) -> None:
        """Which truck may, and what leaving a stop out costs; a pair is left out as one."""
        problem, model = self.problem, self.model
        gone = out_of_reach(problem)
        drops, pickups = problem.partners()
        for number, stop in enumerate(problem.stops):
            index = self.index[number]
            for truck in range(len(problem.trucks)):
                if not problem.may(number, truck):
                    model.VehicleVar(index).RemoveValue(truck)
            if number in gone:
                model.AddDisjunction([index], 0)
                model.ActiveVar(index).SetValue(0)
            elif stop.penalty is not None and number not in pickups:
                both = [index] + ([self.index[drops[number]]] if number in drops else [])
                model.AddDisjunction(both, self.whole.money(stop.penalty), len(both))

    def _pairs(self) -> None:
        """Same truck, pickup first."""
        model = self.model
        for pickup, drop in self.problem.pairs:
            one, two = self.index[pickup], self.index[drop]
            model.AddPickupAndDelivery(one, two)
            model.solver().Add(model.VehicleVar(one) == model.VehicleVar(two))
            model.solver().Add(self.time.CumulVar(one) <= self.time.CumulVar(two))

    def _driver_hours(self) -> None:
        """Breaks after so much driving, and the longest driving of a route."""
        problem, whole, model = self.problem, self.whole, self.model
        for number, truck in enumerate(problem.trucks):
            limits = truck.hours
            if limits is None:
                continue
            if limits.day_max < inf:
                drive = model.RegisterTransitMatrix(self._matrix(whole.travel(number)))
                name = f"driving {number}"
                model.AddDimension(drive, 0, FAR, True, name)
                model.GetDimensionOrDie(name).CumulVar(model.End(number)).SetMax(
                    min(FAR, whole.closing(limits.day_max)))
            if limits.drive_max < inf:
                # Between breaks the engine counts service and waiting as driving: never too lax.
                self.time.SetBreakDistanceDurationOfVehicle(
                    whole.closing(limits.drive_max), whole.span(limits.rest), number)
                self.time.SetBreakIntervalsOfVehicle(self._rests(number), number, self.service)

    def _rests(self, number: int) -> list[Any]:
        """Optional breaks, as many as the longest route could need."""
        whole, truck = self.whole, self.problem.trucks[number]
        assert truck.hours is not None
        latest = min(int(self.time.CumulVar(self.model.End(number)).Max()), FAR)
        rest = max(1, whole.span(truck.hours.rest))
        count = min(6, latest // max(1, whole.closing(truck.hours.drive_max) + rest) + 1)
        return [self.model.solver().FixedDurationIntervalVar(
            0, latest, rest, True, f"rest {number} {k}") for k in range(count)]

    # -- searching -------------------------------------------------------------------------------
    def search(self, limit: Limit, seed: int, told: Told, start: Trips | None) -> Found:
        """Search; every solution's trips go to the pool."""
        problem, model = self.problem, self.model
        pool: set[Trip] = set()
        left, branches = limit.stopwatch(), 0
        best: list[tuple[int, Trips]] = []
        most = None if limit.work is None else max(
            200, int(limit.work * BRANCHES * 100 / max(30, len(problem.stops))))

        def heard() -> None:
            cost = model.CostVar().Max()
            near = not best or cost <= 1.02 * best[-1][0]
            if not near:
                return
            trips = self.trips()
            pool.update(trips)
            if not best or cost < best[-1][0]:
                best[:] = [(cost, trips)]
                told(trips)

        model.AddAtSolutionCallback(heard)
        if most is not None:
            model.AddSearchMonitor(model.solver().BranchesLimit(most))
        if limit.clock == "cpu":
            model.AddSearchMonitor(model.solver().CustomLimit(lambda: left() <= 0.0))
        parameters = _parameters(problem, limit, seed)
        model.CloseModelWithParameters(parameters)
        begin = None
        if start:
            routes: list[list[int]] = [[] for _ in problem.trucks]
            for trip in start:
                routes[trip.truck] = list(trip.stops)
            begin = model.ReadAssignmentFromRoutes(routes, True)
        if begin is not None:
            model.SolveFromAssignmentWithParameters(begin, parameters)
        else:
            model.SolveWithParameters(parameters)
        branches = int(model.solver().Branches())
        by = "work" if most is not None and branches >= most else "wall"
        return Found(best[-1][1] if best else None, frozenset(pool), branches, by)

    def trips(self) -> Trips:
        """The present solution."""
        found = []
        model, manager = self.model, self.manager
        for truck in range(len(self.problem.trucks)):
            node, stops = model.NextVar(model.Start(truck)).Value(), []
            while not model.IsEnd(node):
                stops.append(manager.IndexToNode(node))
                node = model.NextVar(node).Value()
            if stops:
                found.append(Trip(truck, tuple(stops)))
        return tuple(found)
