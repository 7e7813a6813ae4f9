"""Genealogy: what each lot was made of, what was made of it, and where all of it went.

It reads a ledger, whichever world that came from. Edges are the rows `consuming`: units of a parent
lot go into a lot. A recall follows them forward and says who has something of the lot, and how much
of it: what went into a batch is taken as spread evenly over the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from twin.measure.lot_account import Account, Use, account_of

if TYPE_CHECKING:
    import pandas as pd

_BLANKS: dict[str, Any] = {"site": "", "to_site": "", "product": "", "quantity": 0.0, "lot": 0,
                           "parent": 0, "order": 0, "shipment": 0, "asset": "", "cause": "",
                           "role": ""}
_WORK = ("starting", "setup", "completing")


@dataclass(frozen=True, slots=True)
class Branch:
    """A lot in a tree of lots.

    Attributes
    ----------
    quantity
        Units that passed along the edge: of this lot into the one below the root's side (backward),
        or of the lot above into this one (forward); of the root all its units.
    again
        Whether its branches stand at an earlier place of the tree, and not here again.
    """

    lot: int
    product: str
    site: str
    time: float
    quantity: float
    branches: tuple[Branch, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer who has something of a recalled lot.

    Attributes
    ----------
    units
        Of the product that was delivered.
    content
        Units of the recalled lot in them.
    """

    site: str
    product: str
    units: float
    content: float
    lots: tuple[int, ...]
    orders: tuple[int, ...]
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Recall:
    """Where a lot went, in units of that lot.

    Attributes
    ----------
    lots
        Every lot with something of it, itself first.
    density
        Units of the recalled lot in a unit of each.
    held
        (place, lot, units, content) of what can still be stopped.
    lost
        Units that were thrown away, or of which nothing came.
    """

    lot: int
    quantity: float
    lots: tuple[int, ...]
    density: dict[int, float]
    hits: tuple[Hit, ...]
    held: tuple[tuple[str, int, float, float], ...]
    lost: float

    @property
    def delivered(self) -> float:
        """Units of the lot that customers have."""
        return sum(hit.content for hit in self.hits)

    @property
    def to_stop(self) -> float:
        """Units of the lot that are still on shelves, in plants or under way."""
        return sum(content for *_, content in self.held)

    @property
    def rest(self) -> float:
        """What does not add up; 0 but for rounding."""
        return self.quantity - self.delivered - self.to_stop - self.lost


class Genealogy:
    """The lots of a ledger.

    Parameters
    ----------
    events
        A ledger as a table: columns `time` (h), `event` and, where they apply, `site`, `to_site`,
        `product`, `quantity`, `lot`, `parent`, `order`, `shipment`, `asset`, `cause`, `role`.

    Examples
    --------
    >>> from twin.ledger import Ledger
    >>> ledger = Ledger()
    >>> def tell(time, event, site, product, lot, units, **more):
    ...     _ = ledger.add(time, event, site=site, product=product, lot=lot, quantity=units, **more)
    >>> tell(0, "commissioning", "farm", "leaf", 7, 10.0)
    >>> tell(5, "consuming", "plant", "leaf", 8, 10.0, parent=7)
    >>> tell(5, "commissioning", "plant", "tea", 8, 20.0)
    >>> tell(9, "delivering", "shop", "tea", 8, 15.0, role="customer")
    >>> family = Genealogy(ledger.frame())
    >>> [branch.lot for branch in family.tree(8, back=True).branches]
    [7]
    >>> recall = family.recall(7)
    >>> [(hit.site, hit.units, hit.content) for hit in recall.hits], recall.lost, recall.rest
    ([('shop', 15.0, 7.5)], 0.0, 0.0)
    """

    def __init__(self, events: pd.DataFrame) -> None:
        rows = events.copy(deep=False)
        for column, blank in _BLANKS.items():
            if column not in rows:
                rows[column] = blank
        self.rows = rows.sort_values("time", kind="stable")
        used = self.rows[(self.rows["event"] == "consuming") & (self.rows["parent"] > 0)]
        self.used_by: defaultdict[int, list[Use]] = defaultdict(list)
        self.made_of: defaultdict[int, list[Use]] = defaultdict(list)
        taken: Any = used.itertuples()
        for row in taken:
            use = Use(row.time, row.site, row.parent, row.lot, row.product, row.quantity)
            self.used_by[use.lot].append(use)
            if use.into:
                self.made_of[use.into].append(use)
        self._accounts: dict[int, Account] = {}

    @cached_property
    def lots(self) -> list[int]:
        """Every lot, in order of number."""
        return sorted({*self.rows["lot"].unique().tolist(), *self.used_by} - {0})

    # -- one lot ---------------------------------------------------------------------------------
    def account(self, lot: int) -> Account:
        """The account of a lot."""
        return self.accounts([lot])[lot]

    def accounts(self, lots: Iterable[int]) -> dict[int, Account]:
        """The accounts of lots."""
        wanted = list(dict.fromkeys(lots))
        new = {lot for lot in wanted if lot not in self._accounts}
        if new:
            self._accounts |= self._read(new)
        return {lot: self._accounts[lot] for lot in wanted}

    def _read(self, lots: set[int]) -> dict[int, Account]:
        rows = self.rows
        uses = rows["event"] == "consuming"
        about = rows[(rows["lot"].isin(lots) & ~uses) | (rows["parent"].isin(lots) & uses)]
        mine: dict[int, list[Any]] = {lot: [] for lot in lots}
        listed: Any = about.itertuples(index=False, name="Row")
        for row in listed:
            mine[row.parent if row.event == "consuming" else row.lot].append(row)
        found = {lot: account_of(lot, rows) for lot, rows in mine.items()}
        for lot, account in found.items():
            if account.how == "supplied" and lot in self.made_of:
                account.how = "made"
        return found

    def machines(self, lot: int) -> tuple[str, ...]:
        """The machines that worked on the order that a lot was made for, until it was made."""
        rows = self.rows
        born = rows[(rows["lot"] == lot) & (rows["event"] == "commissioning") & (rows["order"] > 0)]
        found: dict[str, None] = {}
        for row in born.itertuples():
            work = rows[(rows["order"] == row.order) & (rows["site"] == row.site)
                        & rows["event"].isin(_WORK) & (rows["time"] <= row.time)
                        & (rows["role"] == "")]
            found |= dict.fromkeys(str(name) for name in work["asset"] if name)
        return tuple(found)

    # -- many ------------------------------------------------------------------------------------
    def tree(self, lot: int, *, back: bool = False) -> Branch:
        """The lots that a lot was made of (back), or that were made of it."""
        edges = self.made_of if back else self.used_by
        far: Callable[[Use], int] = (lambda use: use.lot) if back else (lambda use: use.into)
        shown: set[int] = set()

        def grow(at: int, units: float) -> Branch:
            account = self.account(at)
            again = at in shown
            shown.add(at)
            parts: dict[int, float] = {}
            for use in edges.get(at, ()):
                if far(use):
                    parts[far(use)] = parts.get(far(use), 0.0) + use.quantity
            branches = () if again else tuple(grow(to, many) for to, many in parts.items())
            return Branch(at, account.product, account.place, account.time, units, branches,
                          again and bool(parts))

        self.accounts(self.line(lot, back=back))
        return grow(lot, self.account(lot).quantity)

    def line(self, lot: int, *, back: bool = False) -> list[int]:
        """A lot and all that it was made of (back), or that was made of it; each once."""
        found = {lot: None}
        for one in (queue := [lot]):
            for use in (self.made_of if back else self.used_by).get(one, ()):
                other = use.lot if back else use.into
                if other and other not in found:
                    found[other] = None
                    queue.append(other)
        return list(found)

    def recall(self, lot: int) -> Recall:
        """Where all units of a lot went."""
        lots = self._ordered(self.line(lot))
        accounts = self.accounts(lots)
        content: defaultdict[int, float] = defaultdict(float)
        content[lot] = accounts[lot].quantity
        density: dict[int, float] = {}
        lost = 0.0
        for one in lots:
            account = accounts[one]
            if account.quantity <= 0.0:
                lost += content[one]
                continue
            density[one] = content[one] / account.quantity
            for use in account.uses:
                if use.into and use.into not in density:
                    content[use.into] += density[one] * use.quantity
                else:
                    lost += density[one] * use.quantity
            lost += density[one] * account.lost
        held = tuple((place, one, units, density[one] * units) for one in lots if one in density
                     for place, units in accounts[one].held.items())
        return Recall(lot, accounts[lot].quantity, tuple(lots), density,
                      _hits([accounts[one] for one in lots], density), held, lost)

    def _ordered(self, lots: Sequence[int]) -> list[int]:
        """Parents before children. Lots that went into one another come as they were found."""
        inside = set(lots)
        waits = {lot: sum(use.lot in inside for use in self.made_of.get(lot, ())) for lot in lots}
        waits[lots[0]] = 0
        ready, done = [lots[0]], dict.fromkeys([lots[0]])
        for one in ready:
            for use in self.used_by.get(one, ()):
                if use.into in inside and use.into not in done:
                    waits[use.into] -= 1
                    if waits[use.into] == 0:
                        done[use.into] = None
                        ready.append(use.into)
        return [*ready, *(lot for lot in lots if lot not in done)]


def _hits(accounts: Sequence[Account], density: dict[int, float]) -> tuple[Hit, ...]:
    """Deliveries by customer and product."""
    found: defaultdict[tuple[str, str], list[tuple[Account, Any]]] = defaultdict(list)
    for account in accounts:
        for delivery in account.deliveries:
            found[delivery.site, account.product].append((account, delivery))
    hits = []
    for (site, product), rows in sorted(found.items()):
        times = [delivery.time for _, delivery in rows]
        hits.append(Hit(
            site, product, sum(delivery.quantity for _, delivery in rows),
            sum(density.get(account.lot, 0.0) * delivery.quantity for account, delivery in rows),
            tuple(dict.fromkeys(account.lot for account, _ in rows)),
            tuple(dict.fromkeys(delivery.order for _, delivery in rows if delivery.order)),
            min(times), max(times)))
    return tuple(hits)
