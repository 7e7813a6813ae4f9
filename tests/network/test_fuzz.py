"""Mutated models: whatever stands in the files, reading gives a network or says what is wrong."""

import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.network import ModelError, Network, read_network
from twin.quantity import parse_quantity

from .conftest import TEA, write_model

_GARBAGE = [
    "", " ", "-", "nan", "inf", "-1", "0", "1e308", "1e999", "9" * 400, "0.0000001", "1,5", "-2d",
    "2d", "3 days", "1e300y", "5e-324h", "yes", "NULL", "#REF!", "=1+1", "é", "\u202e", "\x00",
    "\n", '"', "';--", "../../etc/passwd", "S", "W,C", "W:C:road", "M1#9", "exponential(mean=0h)",
    "exponential(mean=1e-300h)", "lognormal(mean=1h, sd=1e300h)", "empirical(lags.csv)",
    "empirical(sites.csv)", "series(.)", "series(/dev/zero)", "empirical()", "discrete(1:1)",
    "discrete(1d:.5, 2d:.5)", "weibull(shape=.01, scale=1h)", "weibull(shape=1e-300, scale=1h)",
    "geometric(p=1e-320, step=1d)", "erlang(k=1e9, mean=1d)", "triangular(1h,1h,1h)",
    "uniform(-1h, 1h)", "by_load(" + "1," * 200 + "1)", "((((", "smoothing()", "2026-13-40",
    "9999-12-31", "0001-01-01", "0001-01-01T00:00+23:59", "25:00", "mon-sun", "make", "split",
    "s_S", "kanban", "1" * 90,
]  # fmt: skip
_OPERATIONS = (
    "cell", "drop_cell", "extra_cell", "drop_row", "double_row", "drop_column", "double_column",
    "rename_column", "swap_rows", "byte", "encoding", "truncate", "delete", "swap_files",
)  # fmt: skip


def mutated(files: dict[str, bytes | None], operation: str, chance: random.Random) -> None:
    """Spoil one file in one way."""
    name = chance.choice(sorted(files))
    data = files[name]
    if data is None:
        return
    if operation == "byte" and data:
        place = chance.randrange(len(data))
        files[name] = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    elif operation == "encoding":
        text = data.decode("utf-8", "replace") + "é"
        files[name] = text.encode(
            chance.choice(["utf-16", "latin-1", "utf-32", "cp037"]), "replace"
        )
    elif operation == "truncate":
        files[name] = data[: chance.randrange(len(data) + 1)]
    elif operation == "delete":
        files[name] = None
    elif operation == "swap_files":
        other = chance.choice(sorted(files))
        files[name], files[other] = files[other], data
    else:
        table = [line.split(",") for line in data.decode("utf-8", "replace").split("\n")]
        spoiled(table, operation, chance)
        files[name] = "\n".join(",".join(row) for row in table).encode()


def spoiled(table: list[list[str]], operation: str, chance: random.Random) -> None:
    """Spoil cells, rows or columns of a table."""
    row = chance.choice(table)
    column = chance.randrange(len(row))
    if operation == "cell":
        row[column] = chance.choice(_GARBAGE)
    elif operation == "drop_cell":
        del row[column]
    elif operation == "extra_cell":
        row.insert(column, chance.choice(_GARBAGE))
    elif operation == "drop_row":
        table.remove(row)
    elif operation == "double_row":
        table.append(list(row))
    elif operation == "rename_column":
        table[0][min(column, len(table[0]) - 1)] = chance.choice(
            ["site", "from", "sise", "", "x" * 999]
        )
    elif operation == "swap_rows":
        chance.shuffle(table)
    elif operation in ("drop_column", "double_column"):
        for line in table:
            if column < len(line):
                line[column : column + 1] = [line[column]] * (operation == "double_column") * 2


def outcome(files: dict[str, bytes | None]) -> Network | ModelError:
    """What reading the files gives; any other exception is a failure of the test."""
    folder = Path(tempfile.mkdtemp())
    try:
        tables = {
            name.removesuffix(".csv"): data for name, data in files.items() if "yaml" not in name
        }
        return read_network(
            write_model(folder / "models", {**tables, "yaml": files["../tea.yaml"]})
        )
    except ModelError as error:
        return error
    finally:
        shutil.rmtree(folder)


OPERATIONS = st.lists(st.sampled_from(_OPERATIONS), min_size=1, max_size=4)


@settings(max_examples=60, deadline=2000, suppress_health_check=list(HealthCheck))
@given(OPERATIONS, st.integers(0, 2**32))
def test_a_mutated_model_is_read_or_refused(operations: list[str], seed: int) -> None:
    read_mutated(operations, seed)


@pytest.mark.long
@settings(max_examples=1_000, deadline=2000, suppress_health_check=list(HealthCheck))
@given(OPERATIONS, st.integers(0, 2**32))
def test_many_mutated_models_are_read_or_refused(operations: list[str], seed: int) -> None:
    read_mutated(operations, seed)


def read_mutated(operations: list[str], seed: int) -> None:
    """Spoil a model, and read it."""
    files: dict[str, bytes | None] = {name: text.encode() for name, text in TEA.items()}
    chance = random.Random(seed)
    for operation in operations:
        mutated(files, operation, chance)
    result = outcome(files)
    if isinstance(result, ModelError):
        assert result.problems
        assert max(map(len, result.problems)) < 2000
    else:
        assert repr(result)
        for lane in result.lanes.values():
            result.distance_km(lane)


@pytest.mark.long
def test_every_piece_of_garbage_in_every_cell() -> None:
    """Each column of the first row of each table, with each piece of garbage."""
    chance = random.Random(1)
    for name, text in TEA.items():
        if name.endswith(".csv") and name != "lags.csv":
            header, first, *_ = (line.split(",") for line in text.split("\n"))
            for column in range(min(len(header), len(first))):
                for garbage in chance.sample(_GARBAGE, 6):
                    table = [line.split(",") for line in text.split("\n")]
                    table[1][column] = garbage
                    spoilt = "\n".join(",".join(row) for row in table).encode()
                    outcome({**{n: t.encode() for n, t in TEA.items()}, name: spoilt})


@settings(max_examples=120, deadline=1000)
@given(st.text(max_size=60), st.booleans())
def test_any_text_is_a_quantity_or_a_value_error(text: str, time: bool) -> None:
    for cell in (text, f"uniform({text})", f"discrete({text})", f"empirical({text})"):
        with suppress(ValueError):
            quantity = parse_quantity(cell, time)
            again = parse_quantity(str(quantity), time)
            assert again == quantity


@settings(max_examples=40, deadline=1000, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_any_bytes_are_a_model_or_refused(data: bytes) -> None:
    outcome({**{name: text.encode() for name, text in TEA.items()}, "../tea.yaml": data})
    outcome({**{name: text.encode() for name, text in TEA.items()}, "sites.csv": data})
