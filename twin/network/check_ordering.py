"""Checks of orders of several lines and of returns."""

from collections.abc import Iterator

from twin.network.network import Network
from twin.network.problems import Found


def order_lines(network: Network) -> Iterator[Found]:
    """Lines belong to one row of demand, whose product is another one."""
    for key, line in network.order_lines.items():
        rows = [row for row in network.demand.values()
                if (row.site, row.stream) == (line.site, line.stream)]
        stream = f"'{line.site}' with stream '{line.stream}'"
        if not rows:
            what = f"no demand row of {stream}. Name the stream of a demand row, or add one."
            yield Found("order_lines", key, what)
        elif len(rows) > 1:
            what = (f"{len(rows)} demand rows of {stream}, so it is not clear whose line it is. "
                    "Give the one it belongs to a stream of its own.")
            yield Found("order_lines", key, what)
        elif rows[0].product == line.product:
            what = f"product '{line.product}' is that of the demand itself. Write its size there."
            yield Found("order_lines", key, what)


def complete_orders(network: Network) -> Iterator[Found]:
    """Lines that leave only together stand at one place, and are sent from there."""
    for key, row in network.demand.items():
        if not row.complete:
            continue
        products = [row.product, *(line.product for line in network.lines_of(row))]
        if len(products) > 1 and _place(network, row.site, products) is None:
            names = ", ".join(f"'{product}'" for product in products)
            what = (f"complete 'yes', but no one place with a single lane to '{row.site}' stocks "
                    f"all of {names}. Stock them there, or write no.")
            yield Found("demand", key, what)


def _place(network: Network, site: str, products: list[str]) -> str | None:
    """The place that answers orders for all these products from its shelves, if it is one."""
    made = {(row.site, row.product) for row in network.routings.values()}
    seen: set[str] = set()
    while site not in seen:
        seen.add(site)
        if all((site, product) in network.stock for product in products):
            return site
        lanes = [lane for lane in network.lanes.values() if lane.destination == site]
        here = [(site, product) for product in products]
        if len(lanes) != 1 or any(pair in network.stock or pair in made or pair in network.supply
                                  for pair in here):
            return None
        site = lanes[0].origin
    return None


def returns(network: Network) -> Iterator[Found]:
    """What comes back was delivered to a customer, as the product that was ordered."""
    asked = {(row.site, row.product) for row in network.demand.values()}
    asked |= {(row.site, row.product) for row in network.orders.values()}
    asked |= {(row.site, row.product) for row in network.order_lines.values()}
    for key, row in network.returns.items():
        if key not in asked:
            what = f"no customer at '{row.site}' orders '{row.product}'. Add the demand."
            yield Found("returns", key, what)
        thing = network.products.get(row.product)
        if thing is not None and thing.substitute is not None:
            what = f"product '{row.product}' has a substitute, which nobody could tell from it"
            yield Found("returns", key, f"{what} on its return. Leave substitute blank.")


# Each check, and the tables that must have been read completely for it to make sense.
CHECKS = (
    (order_lines, ("demand",)),
    (complete_orders, ("order_lines", "stock", "lanes", "routings", "supply")),
    (returns, ("demand", "orders", "order_lines", "products")),
)
