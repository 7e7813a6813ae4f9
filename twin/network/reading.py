"""Reading a model: ``NAME.yaml`` and its folder of CSV tables."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from twin.clock import excerpt, parse_moment
from twin.network.attributes import TABLES, Attribute, Table
from twin.network.cells import read_cell
from twin.network.components import COMPONENTS, Component, Key
from twin.network.files import LARGEST_HEAD, read_head, read_text
from twin.network.network import REVIEWS, Network, settling
from twin.network.problems import ModelError, address, guess
from twin.quantity import constant

_SECTIONS = ("operate",)  #: of NAME.yaml, read by whoever they are for
_HEAD = ("title", "start", "currency", "tables", "review", "warmup", *_SECTIONS)
_MOST_ROWS = 1_000_000
_MOST_PROBLEMS = 1_000
_START = datetime(2026, 1, 1, tzinfo=UTC)


def read_network(path: str | Path) -> Network:
    """Read and check a model.

    Parameters
    ----------
    path
        ``models/NAME.yaml``; the ending may be left out.

    Returns
    -------
    Network
        Frozen, in hours and in the currency of the model.

    Raises
    ------
    ModelError
        With every problem of every file: file, row, value and remedy.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "tea.yaml").write_text("title: Tea")
    >>> (folder / "tea").mkdir()
    >>> _ = (folder / "tea" / "sites.csv").write_text("site,kind\\nW,warehouse\\n")
    >>> read_network(folder / "tea").sites["W"].kind
    'warehouse'
    """
    return _Reading(Path(path)).network()


class _Reading:
    """One model being read: what was found, where, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = (
            path if path.suffix in (".yaml", ".yml") else path.with_name(path.name + ".yaml")
        )
        models = self.path.absolute().parent
        self.workspace = models.parent if models.name == "models" else models
        self.problems: list[str] = []
        self.rows: dict[tuple[str, Key], str] = {}
        self.incomplete: set[str] = set()
        self.doubtful: set[tuple[str, Key]] = set()

    def network(self) -> Network:
        """Everything read, or everything that is wrong."""
        head = self._head()
        folder = self._folder(head.get("tables", self.path.stem))
        if folder is None:
            raise ModelError(self.problems)
        rows = self._tables(folder)
        if not rows["sites"] and "sites" not in self.incomplete:
            self._refuse(f"{self._label(folder)}/sites.csv: ", "holds no site. Write at least one.")
        return Network.from_files(
            name=self.path.stem,
            title=head.get("title", ""),
            start=self._start(head),
            currency=self._currency(head),
            review=self._review(head),
            warmup=self._warmup(head),
            folder=folder,
            rows=rows,
            where=self.where,
            problems=self.problems,
            incomplete=self.incomplete,
            doubtful=self.doubtful,
        )

    def where(self, table: str, key: Key) -> str:
        """File and row of a row; its address when it came from no file."""
        return self.rows.get((table, key)) or address(table, key)

    def _label(self, path: Path) -> str:
        """A file as seen from the workspace."""
        try:
            return path.absolute().relative_to(self.workspace).as_posix()
        except ValueError:
            return path.as_posix()

    def _refuse(self, place: str, problem: object) -> None:
        """Note a problem; a hopeless file is not read to its end."""
        self.problems.append(f"{place}{problem}")
        if len(self.problems) >= _MOST_PROBLEMS:
            raise ModelError([*self.problems, "Too many problems; the rest was not read."])

    def _head(self) -> dict[str, str]:
        """The values of NAME.yaml."""
        label, head = self._label(self.path), dict[str, str]()
        try:
            text = read_text(self.path, self.workspace, LARGEST_HEAD)
        except ValueError as problem:
            raise ModelError([f"{label}: {problem}{self._others()}"]) from None
        try:
            for line, key, value in read_head(text, _SECTIONS):
                if key not in _HEAD:
                    what = f"'{excerpt(key)}' is unknown. {guess(key, _HEAD)}"
                    self._refuse(f"{label} line {line}: ", what)
                elif key in head:
                    self._refuse(f"{label} line {line}: ", f"{key} is given twice. Keep one.")
                else:
                    head[key] = value.strip()
        except ValueError as problem:
            self._refuse(label, problem)
        return {key: value for key, value in head.items() if value}

    def _others(self) -> str:
        """The models that do exist, for a name that does not."""
        if self.path.exists() or not self.path.parent.is_dir():
            return ""
        names = sorted(other.stem for other in self.path.parent.glob("*.yaml"))
        return f" {guess(self.path.stem, names)}" if names else ""

    def _folder(self, tables: str) -> Path | None:
        """The folder of the tables, which must lie inside the workspace."""
        label = f"{self._label(self.path)}: tables '{excerpt(tables)}' "
        try:
            folder = self.path.absolute().parent / tables
            real = folder.resolve()
            if not real.is_relative_to(self.workspace.resolve()):
                self._refuse(label, "lies outside the workspace. Name a folder beside the model.")
            elif not real.is_dir():
                self._refuse(label, "is not a folder. Write the name of the folder of tables.")
            else:
                return folder
        except (OSError, RuntimeError, ValueError):
            self._refuse(label, "is not a path. Write the name of the folder of tables.")
        return None

    def _start(self, head: dict[str, str]) -> datetime:
        try:
            return parse_moment(head["start"]) if "start" in head else _START
        except ValueError as problem:
            self._refuse(f"{self._label(self.path)}: start ", problem)
            return _START

    def _currency(self, head: dict[str, str]) -> str:
        try:
            return str(read_cell(TABLES["fx"].by_column["currency"], head.get("currency", "USD")))
        except ValueError as problem:
            self._refuse(f"{self._label(self.path)}: currency ", problem)
            return "USD"

    def _warmup(self, head: dict[str, str]) -> float:
        problems: list[str] = []
        hours = settling(head.get("warmup", "0h"), problems)
        for what in problems:
            self._refuse(f"{self._label(self.path)}: ", what)
        return hours

    def _review(self, head: dict[str, str]) -> str:
        review = head.get("review", REVIEWS[0])
        if review not in REVIEWS:
            what = f"review '{excerpt(review)}' is unknown. {guess(review, REVIEWS)}"
            self._refuse(f"{self._label(self.path)}: ", what)
        return review

    def _tables(self, folder: Path) -> dict[str, list[Component]]:
        """All tables of the folder; files that belong to a cell are left to it."""
        names = {path.stem: path for path in sorted(folder.glob("*.csv"))}
        used: set[str] = set()
        rows = {
            name: list(self._table(table, names[name], used)) if name in names else []
            for name, table in TABLES.items()
        }
        for name, path in names.items():
            if name not in TABLES and path.name not in used:
                what = f"there is no table '{excerpt(name)}'. {guess(name, TABLES)}"
                self._refuse(f"{self._label(path)}: ", what)
        return rows

    def _table(self, table: Table, path: Path, used: set[str]) -> Iterator[Component]:
        """The rows of one file that have a key."""
        label = self._label(path)
        try:
            lines = csv.reader(StringIO(read_text(path, self.workspace), newline=""), strict=True)
            header = next(lines, [])
            columns = self._columns(table, label, header)
            if columns is None:
                self.incomplete.add(table.name)
                return
            reader = _Row(table, columns, self._reader(path.parent, used))
            for cells in lines:
                place = f"{label} row {lines.line_num}"
                if lines.line_num > _MOST_ROWS:
                    self._refuse(label, f" has more than {_MOST_ROWS} rows. Split the model.")
                    return
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    what = f": {len(cells)} cells where the header has {len(header)}."
                    self.incomplete.add(table.name)
                    self._refuse(place, f"{what} Count the commas, or quote a cell that has one.")
                    continue
                component, problems = reader.component(cells)
                for problem in problems:
                    self._refuse(f"{place}: ", problem)
                if component is None:
                    self.incomplete.add(table.name)
                else:
                    if problems:
                        self.doubtful.add((table.name, component.key))
                    known = self.rows.setdefault((table.name, component.key), place)
                    if known == place:
                        yield component
                    else:
                        given = f"{address(table.name, component.key)} is given twice, first in "
                        self._refuse(
                            f"{place}: ", f"{given}row {known.rpartition(' ')[2]}. Keep one."
                        )
        except csv.Error as error:
            self.incomplete.add(table.name)
            self._refuse(label, f": is not CSV: {error}. Check quotes and line ends.")
        except ValueError as problem:
            if isinstance(problem, ModelError):
                raise
            self.incomplete.add(table.name)
            self._refuse(label, f": {problem}")

    def _columns(
        self, table: Table, label: str, header: list[str]
    ) -> list[Attribute | None] | None:
        """The attribute of each column, or None when no row can be read."""
        names = [name.strip() for name in header]
        if not any(names):
            self._refuse(
                label, f" row 1: is empty. Write the columns: {','.join(table.by_column)}."
            )
            return None
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            self._refuse(
                label, " row 1: cells are not parted by commas. Save it as CSV with commas."
            )
            return None
        for name in names:
            if name not in table.by_column:
                what = f"column '{excerpt(name)}' is unknown. {guess(name, table.by_column)}"
                self._refuse(f"{label} row 1: ", what)
        for name in sorted(set(names)):
            if names.count(name) > 1 and name in table.by_column:
                self._refuse(f"{label} row 1: ", f"column '{name}' is given twice. Keep one.")
        missing = [
            a.column for a in table.attributes if a.default is None and a.column not in names
        ]
        for column in missing:
            self._refuse(f"{label} row 1: ", f"column '{column}' is missing. Add it.")
        return None if missing else [table.by_column.get(name) for name in names]

    def _reader(self, folder: Path, used: set[str]) -> Callable[[str], list[str]]:
        """Reads the file of ``empirical(FILE)`` in the folder of the tables."""

        def lines(name: str) -> list[str]:
            path = folder / name
            if "\0" in name or Path(name).is_absolute():
                raise ValueError(f"file '{excerpt(name)}' is not in the folder of the tables.")
            try:
                text = read_text(path, folder)
            except ValueError as problem:
                raise ValueError(f"file '{excerpt(name)}' {problem}") from None
            used.add(path.name)
            return text.splitlines()

        return lines


class _Row:
    """Turns the cells of a row into a component; a cell seen before is not read again."""

    def __init__(
        self,
        table: Table,
        columns: list[Attribute | None],
        read: Callable[[str], list[str]],
    ) -> None:
        self.columns = columns
        self.component_type = COMPONENTS[table.name]
        self.read = read
        self.seen: list[dict[str, object]] = [{} for _ in columns]

    def component(self, cells: list[str]) -> tuple[Component | None, list[str]]:
        """The component, or None without a key, and what is wrong with the cells."""
        values: dict[str, object] = {}
        problems: list[str] = []
        whole = True
        for attribute, seen, cell in zip(self.columns, self.seen, cells, strict=True):
            if attribute is None:
                continue
            if cell in seen:
                values[attribute.name] = seen[cell]
                continue
            try:
                value = read_cell(attribute, cell, self.read)
            except ValueError as problem:
                problems.append(f"{attribute.column} {problem}")
                if attribute.key:
                    whole = False
                elif attribute.default is None:
                    values[attribute.name] = _STAND_IN[attribute.base]
            else:
                values[attribute.name] = seen[cell] = value
        return (self.component_type.of_values(values) if whole else None), problems


# A refused required cell stands for something harmless, so that the rest can still be checked.
_STAND_IN: dict[str, object] = {
    "id": "",
    "ref": "",
    "text": "",
    "choice": "",
    "int": 1,
    "num": 1.0,
    "share": 0.0,
    "time": 0.0,
    "rq": constant(1.0),
    "rq_time": constant(1.0, time=True),
}
