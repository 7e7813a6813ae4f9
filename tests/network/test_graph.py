"""Where things come from and how far they get."""

import subprocess
import sys

from twin.network import Lane, Network, Product, Site
from twin.network.graph import Flow, bom_cycles, lane_graph, product_graph, upstream

SITES = [Site(site=name, kind="warehouse") for name in "ABCDE"]


def test_a_product_spreads_downstream_only() -> None:
    network = Network(
        sites=SITES,
        products=[Product(product="tea"), Product(product="milk")],
        supply=[{"site": "B", "product": "tea"}],
        lanes=[
            Lane(origin=a, destination=b, transit="1d") for a, b in ("AB", "BC", "CD", "DB", "AE")
        ],
    )
    flow = Flow(network)
    assert flow.sources("tea") == {"B"}
    assert flow.reached("tea") == {"B", "C", "D"}
    assert flow.reached("milk") == frozenset()
    assert upstream(network, "B") == ["A", "D"]
    assert sorted(lane_graph(network).successors("A")) == ["B", "E"]


def test_components_point_at_what_they_go_into() -> None:
    network = Network(
        sites=SITES,
        products=[Product(product="cup"), Product(product="leaf")],
        bom=[{"product": "cup", "component": "leaf"}],
        routings=[{"site": "A", "product": "cup", "step": 1, "process_time": "1h"}],
        supply=[{"site": "A", "product": "leaf"}],
    )
    assert list(product_graph(network).edges) == [("leaf", "cup")]
    assert bom_cycles(network) == []


def test_importing_the_room_does_not_load_the_graph_library() -> None:
    code = "import sys, twin.network; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
