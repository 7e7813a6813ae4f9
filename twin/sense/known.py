"""What a model knows by name: places, products and assets that readings may be about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twin.block import Block
from twin.clock import excerpt
from twin.network import Network
from twin.network.assets import asset_kinds
from twin.network.problems import guess
from twin.readings import BadReading


class Known:
    """The names of a model.

    Examples
    --------
    >>> from twin.network import Machine, Product, Site
    >>> known = Known(Network(sites=[Site(site="P", kind="plant")], products=[Product(product="A")],
    ...     machines=[Machine(machine="M3", site="P", group="mill", units=2)]))
    >>> known.check({"site": "P", "asset": "M3#2", "product": "A"})
    >>> known.check({"site": "Q"})
    Traceback (most recent call last):
    ...
    twin.readings.BadReading: site 'Q' is not in the model. Write one of P.
    """

    def __init__(self, network: Network) -> None:
        self._sites = frozenset(network.sites)
        self._products = frozenset(network.products)
        self._assets: dict[str, None] = {}
        # In the words of a ledger an area is site/area, a step of a routing site/product/step.
        steps = {f"{site}/{product}/{step}" for site, product, step in network.routings}
        self._is_asset: Callable[[str], object] = lambda name: name in steps or asset_kinds(
            network, name) or asset_kinds(network, name.replace("/", ":", 1))
        self._machines = (*network.machines, *network.trucks)

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse a reading about what the model does not have.

        Raises
        ------
        BadReading
            Reason `unknown_site`, `unknown_product` or `unknown_asset`.
        """
        site = values.get("site")
        if site is not None and site not in self._sites:
            raise _unknown("site", site, self._sites)
        site = values.get("to_site")
        if site is not None and site not in self._sites:
            raise _unknown("site", site, self._sites)
        product = values.get("product")
        if product is not None and product not in self._products:
            raise _unknown("product", product, self._products)
        asset = values.get("asset")
        if asset is not None and asset not in self._assets:
            if not self._is_asset(asset):
                raise _unknown("asset", asset, self._machines)
            self._assets[asset] = None

    def knows(self, block: Block) -> bool:
        """Whether the model has everything that a block of readings is about."""
        try:
            for name in ("site", "to_site", "product", "asset"):
                for word in block.said(name):
                    self.check({name: word})
        except BadReading:
            return False
        return True


def _unknown(what: str, name: str, names: Any) -> BadReading:
    return BadReading(f"unknown_{what}", f"{what} '{excerpt(name)}' is not in the model. "
                      f"{guess(name, sorted(names))}")
