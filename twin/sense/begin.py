"""Begin: from what is known about a chain to a state from which a simulation starts.

What was seen stands in the state as it was seen. What nobody sees follows from what was: forecasts
from past demand, reviews from the timetable, a supplier's queue from the orders it was given. What
is left of a random time is drawn by the simulation, given how long it has lasted. The rest has a
stated default: no event of a scenario is under way, cooling works, and where one of several lots of
an order is meant, the first.
"""

from __future__ import annotations

import copy
from typing import Any

from twin.network import Network
from twin.sense.begin_moves import Moves
from twin.sense.begin_orders import Scene
from twin.sense.begin_plant import Plants
from twin.sense.begin_stock import areas, customers, passes, shelves, suppliers
from twin.sense.fold import Fold
from twin.sense.fold_rules import Rules
from twin.state import State


def begin_from(going_on: dict[str, Any], at: float, network: Network, fresh: State, rules: Rules,
               corrections: dict[str, float] | None = None) -> State:
    """The state of a chain at a moment, from what was folded until then.

    Parameters
    ----------
    going_on
        What `twin.sense.fold.Fold.state` said.
    at
        The moment, hours after the model's start.
    fresh
        A state of the same network that has just begun (`play(..., horizon_h=0, save_at=0)`): it
        names every actor, and says what an actor of which nothing was heard is doing.
    corrections
        Units that were counted above what was booked, by ``site/product``; negative: below.
    """
    fold = Fold.resumed(network, rules, copy.deepcopy(going_on))
    fold.demand.settle(at)
    scene = Scene(fold, at, rules, fresh.actors)
    actors: dict[str, Any] = dict(fresh.actors)
    stock = shelves(scene, corrections or {})
    actors |= stock | areas(scene, stock) | suppliers(scene) | customers(scene) | passes(scene)
    moves = Moves(scene)
    actors |= moves.state()
    actors |= Plants(scene, moves.drivers).state()
    orders = [row for _, row in sorted(scene.orders.rows.items())]
    return State(network.name, at, orders, actors, scene.orders.posted(), [])
