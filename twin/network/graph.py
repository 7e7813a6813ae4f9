"""The network as a graph: what can reach where, and what is made of what."""

from collections.abc import Iterable
from functools import lru_cache

import networkx as nx

from twin.network.network import Network


def lane_graph(network: Network) -> "nx.DiGraph[str]":
    """Sites, and an edge for each pair that a lane joins.

    Examples
    --------
    >>> from twin.network import Lane, Site
    >>> sites = [Site(site=name, kind="warehouse") for name in "ABC"]
    >>> lanes = [Lane(origin="A", destination="B", transit="1d")]
    >>> list(lane_graph(Network(sites=sites, lanes=lanes)).edges)
    [('A', 'B')]
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(network.sites)
    graph.add_edges_from((lane.origin, lane.destination) for lane in network.lanes.values())
    return graph


def upstream(network: Network, site: str) -> list[str]:
    """The sites that a lane joins to a site, in file order.

    Examples
    --------
    >>> from twin.network import Lane, Site
    >>> sites = [Site(site=name, kind="warehouse") for name in "ABC"]
    >>> lanes = [Lane(origin="B", destination="C", transit="1d")]
    >>> upstream(Network(sites=sites, lanes=lanes), "C")
    ['B']
    """
    origins = (lane.origin for lane in network.lanes.values() if lane.destination == site)
    return list(dict.fromkeys(origins))


def product_graph(network: Network) -> "nx.DiGraph[str]":
    """Products, and an edge from each component to what it goes into."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(network.products)
    graph.add_edges_from((line.component, line.product) for line in network.bom.values())
    return graph


def bom_cycles(network: Network) -> list[list[str]]:
    """Products that go into themselves: one list of products for each knot.

    Examples
    --------
    >>> bom_cycles(Network())
    []
    """
    graph = product_graph(network)
    knots = (sorted(knot) for knot in nx.strongly_connected_components(graph))
    return sorted(knot for knot in knots if len(knot) > 1 or graph.has_edge(knot[0], knot[0]))


class Flow:
    """Where each product can come from and how far it gets.

    A product has its source where it is supplied, made, a by-product, or lies in stock that no
    policy replenishes. From there it follows the lanes: every site passes orders up its lanes.

    Examples
    --------
    >>> from twin.network import Lane, Product, Site
    >>> network = Network(
    ...     sites=[Site(site="S", kind="supplier"), Site(site="C", kind="customer")],
    ...     products=[Product(product="tea")],
    ...     supply=[{"site": "S", "product": "tea"}],
    ...     lanes=[Lane(origin="S", destination="C", transit="1d")],
    ... )
    >>> flow = Flow(network)
    >>> flow.sources("tea"), sorted(flow.reached("tea"))
    (frozenset({'S'}), ['C', 'S'])
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._lanes = lane_graph(network)
        sources: dict[str, set[str]] = {}
        held = (row for row in network.stock.values() if row.policy is None and row.on_hand > 0)
        rows: Iterable[tuple[str, str]] = (
            *network.supply,
            *((site, product) for site, product, _ in network.routings),
            *((site, byproduct) for site, _, byproduct in network.byproducts),
            *((row.site, row.product) for row in held),
        )
        for site, product in rows:
            sources.setdefault(product, set()).add(site)
        self._sources = {product: frozenset(sites) for product, sites in sources.items()}
        self._downstream = lru_cache(maxsize=None)(self._spread)

    def sources(self, product: str) -> frozenset[str]:
        """The sites where a product comes into being."""
        return self._sources.get(product, frozenset())

    def reached(self, product: str) -> frozenset[str]:
        """The sites that a product can get to."""
        return self._downstream(self.sources(product))

    def _spread(self, sources: frozenset[str]) -> frozenset[str]:
        """The sources and everything downstream of them."""
        seen = {site for site in sources if site in self._lanes}
        frontier = list(seen)
        while frontier:
            for site in self._lanes.successors(frontier.pop()):
                if site not in seen:
                    seen.add(site)
                    frontier.append(site)
        return frozenset(seen)
