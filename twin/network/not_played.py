"""What a table can say but the simulation does not play yet: refused, never ignored.

Take a line away when the simulation plays it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from twin.network.attributes import TABLES
from twin.network.cells import blank, write_cell
from twin.network.network import Network
from twin.network.problems import Found


@dataclass(frozen=True)
class NotPlayed:
    """A use of a table that is refused.

    Parameters
    ----------
    table, column
        Where; a blank column is any row of the table.
    remedy
        What to do instead.
    when
        The rows it is about; with a column, those where the cell is not its default.
    """

    table: str
    column: str
    remedy: str
    when: Callable[[Any], bool] | None = None


NOT_PLAYED = [
    NotPlayed("order_lines", "", "Write one demand row a product."),
    NotPlayed("demand", "complete", "Leave it blank."),
]


def not_played(network: Network) -> Iterator[Found]:
    """Cells and rows that the simulation would have to ignore."""
    for entry in NOT_PLAYED:
        attribute = TABLES[entry.table].by_column.get(entry.column)
        for key, row in network.table(entry.table).items():
            if attribute is None:
                if entry.when is None or entry.when(row):
                    what = f"{entry.table} are not played yet. {entry.remedy}"
                    yield Found(entry.table, key, what)
                continue
            value = getattr(row, attribute.name)
            default = None if attribute.default is None else blank(attribute)
            if entry.when(row) if entry.when else value != default:
                shown = f"{attribute.column} '{write_cell(attribute, value)}'"
                yield Found(entry.table, key, f"{shown} is not played yet. {entry.remedy}")
