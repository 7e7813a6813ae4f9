"""Jobs: lots on their way through a plant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.simulate.order import Goods, Lot, Order

if TYPE_CHECKING:
    from twin.simulate.maker import Maker, Operation


class Job:
    """One lot: units of a product, made for an order, at one step of its routing.

    While it waits for components it is their buyer.
    """

    __slots__ = ("number", "maker", "order", "units", "place", "operation", "arrived", "released",
                 "left", "begun", "missing", "components", "inner", "site", "holder", "reserved",
                 "queued", "sums", "counted", "onward")
    kind = "job"

    def __init__(self, number: int, maker: Maker, order: Order, units: float,
                 released: float) -> None:
        self.number = number
        self.maker = maker
        self.order = order
        self.units = units
        self.place = 0  #: index of the present step
        self.operation: Operation = maker.operations[0]
        self.arrived = released  #: at the present work centre
        self.queued = released  #: start of the present wait
        self.counted = False  #: work at the present step has begun once
        self.sums: list[float] = []  #: where the present work centre counts it
        self.released = released
        self.left: float | None = None  #: hours left of a preempted operation
        self.begun = released  #: start of the present operation
        self.missing = 0.0  #: units of components still to come
        #: index of the step after this one, if it is settled already; -1 for scrap
        self.onward: int | None = None
        self.components: list[Lot] = []
        #: made as a component for another lot: outside the cap on work in process
        self.inner = getattr(order.buyer, "kind", "") == "job"
        self.site = maker.site
        self.holder: Any = None  #: the machine that holds the done lot
        self.reserved: Any = None  #: the work centre where a place is kept for it

    @classmethod
    def shell(cls, site: str, number: int) -> Job:
        """A lot of which only the name is known yet."""
        job = cls.__new__(cls)
        job.site, job.number = site, number
        return job

    @property
    def name(self) -> str:
        """The name under which a state finds it."""
        return f"job {self.site}/{self.number}"

    def receive(self, order: Order, quantity: float, goods: Goods) -> None:
        """A component has come."""
        order.undelivered -= quantity
        if goods:
            self.components.extend(goods)
        self.missing -= quantity
        if self.missing <= 1e-9:
            self.maker.plant.begin(self)

    def short(self, order: Order, quantity: float) -> None:
        """Components that will not come are ordered again."""
        order.undelivered -= quantity
        self.maker.request(self, order.product, quantity)

    def let_go(self, group: Any) -> None:
        """The work centre that it waits for has room."""
        group.arrive(self)

    def adopt(self, order: Order) -> None:
        """Take back a component order of a saved state."""
