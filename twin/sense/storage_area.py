"""Where a product lies at a site, when nobody says so."""

from __future__ import annotations

import math

from twin.network import Network


def area_of(network: Network, site: str, product: str) -> str:
    """The area of a site that a product is kept in; empty where the site has none for it.

    A product with limits lies in the first area whose range is within them, any other in the first
    area without a range.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}], storage=[
    ...     {"site": "W", "area": "hall"}, {"site": "W", "area": "cold", "min_c": 2, "max_c": 6}],
    ...     products=[{"product": "serum", "min_c": 2, "max_c": 8}, {"product": "tea"}])
    >>> area_of(network, "W", "serum"), area_of(network, "W", "tea")
    ('cold', 'hall')
    """
    known = network.products.get(product)
    low, high = (known.min_c, known.max_c) if known else (None, None)
    for row in network.storage.values():
        if row.site != site:
            continue
        ambient = row.min_c is None and row.max_c is None
        if low is None and high is None:
            if ambient:
                return row.area
        elif not ambient and _or(row.min_c, -math.inf) >= _or(low, -math.inf) \
                and _or(row.max_c, math.inf) <= _or(high, math.inf):
            return row.area
    return ""


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
