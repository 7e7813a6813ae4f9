"""SupplyNetPy's side of the shops, in its own terms: infinite supplier, distributor, retailers.

Only `simulate_sc_net` is timed: building the network, and Python's cost of importing, are not.
"""

from __future__ import annotations

import random
from time import perf_counter
from typing import Any

import SupplyNetPy.Components as scm

from contestant import serve
from worlds import Shops

scm.global_logger.disable_logging()


def shops(seed: int = 1, **figures: float) -> dict[str, Any]:
    """Play `Shops`."""
    world = Shops(**figures)  # type: ignore[arg-type]
    luck = random.Random(seed)
    rate = 1.0 / world.gap
    price = {"inventory_holding_cost": 1, "product_sell_price": 2, "product_buy_price": 1}

    def node(name: str, kind: str, s: int, target: int) -> dict[str, Any]:
        return {"ID": name, "name": name, "node_type": kind, "capacity": float("inf"),
                "initial_level": target, "replenishment_policy": scm.SSReplenishment,
                "policy_param": {"s": s, "S": target}, "logging": False, **price}

    nodes: list[dict[str, Any]] = [
        {"ID": "F", "name": "F", "node_type": "infinite_supplier", "logging": False}
    ]
    links, demands = [], []
    for w in range(world.warehouses):
        nodes.append(node(f"W{w}", "distributor", world.warehouse_s, world.warehouse_S))
        links.append({"ID": f"FW{w}", "source": "F", "sink": f"W{w}", "cost": 0,
                      "lead_time": lambda: world.warehouse_transit})
        for r in range(world.retailers):
            name = f"R{w}.{r}"
            nodes.append(node(name, "retailer", world.retailer_s, world.retailer_S))
            links.append({"ID": f"L{name}", "source": f"W{w}", "sink": name, "cost": 0,
                          "lead_time": lambda: world.retailer_transit})
            demands.append({"ID": f"D{name}", "name": f"D{name}", "demand_node": name,
                            "order_arrival_model": lambda: luck.expovariate(rate),
                            "order_quantity_model": lambda: 1, "tolerance": float("inf"),
                            "logging": False})
    net = scm.create_sc_net(nodes, links, demands)
    began = perf_counter()
    scm.simulate_sc_net(net, sim_time=world.days, logging=False)
    seconds = perf_counter() - began
    retailers = [x for key, x in net["nodes"].items() if key.startswith("R")]
    orders = sum(x.stats.demand_placed[0] for x in net["demands"].values())
    waited = sum(x.stats.shortage[0] for x in retailers)
    on_hand = sum(x.inventory.carry_cost for x in retailers)  # at 1 a unit and day
    return {"seconds": seconds, "orders": orders, "fill rate": 1 - waited / orders,
            "mean on hand": on_hand / world.days / len(retailers)}


if __name__ == "__main__":
    serve({"shops": shops})
