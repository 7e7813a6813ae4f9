"""The ledger: what is written is read back, in memory, in files and as a fingerprint."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.ledger import COLUMNS, EVENTS, Ledger, write_ledgers

FULL: dict[str, Any] = {
    "time": 1.5, "recorded": 2.5, "event": "shipping", "role": "origin", "site": "W1",
    "to_site": "C1", "product": "tea", "lot": 3, "parent": 2, "quantity": 5.0, "amount": 9.5,
    "order": 7, "shipment": 4, "asset": "truck", "cause": "late", "source": "wms",
}


def book(*rows: dict[str, Any], ledger: Ledger | None = None) -> Ledger:
    found = Ledger() if ledger is None else ledger
    for row in rows:
        found.add(**row)
    return found


def rows_of(ledger: Ledger) -> list[dict[str, Any]]:
    return ledger.frame().drop(columns="id").to_dict("records")


def many(ledger: Ledger, n: int = 1000) -> Ledger:
    for i in range(n):
        ledger.add(i / 7, "storing", site=f"W{i % 13}", product="tea", lot=i, quantity=i % 5)
        if i > 600:
            ledger.add(i / 7, "departing", site="W1", to_site=f"C{i % 3}", shipment=i,
                       recorded=i / 7 + 1)
    return ledger


# ---- rows ----


def test_a_row_says_everything() -> None:
    assert rows_of(book(FULL)) == [FULL]


def test_blanks_stand_where_nothing_is_said() -> None:
    ledger = book({"time": 2.0, "event": "failing"}, FULL, {"time": 3.0, "event": "repairing"})
    blank = {name: {"s": "", "q": 0, "d": 0.0}[kind] for name, kind in COLUMNS.items()}
    assert rows_of(ledger) == [
        blank | {"time": 2.0, "recorded": 2.0, "event": "failing"}, FULL,
        blank | {"time": 3.0, "recorded": 3.0, "event": "repairing"},
    ]


def test_event_ids_count_from_one() -> None:
    ledger = Ledger()
    assert [ledger.add(0.0, "lost") for _ in range(700)] == list(range(1, 701))
    assert ledger.frame()["id"].tolist() == list(range(1, 701))
    assert len(ledger) == 700


def test_known_at_hour_zero_is_not_known_when_it_happened() -> None:
    assert rows_of(book({"time": -4.0, "event": "lost", "recorded": 0.0}))[0]["recorded"] == 0.0


def test_every_event_word_has_a_meaning() -> None:
    ledger = Ledger()
    for word, meaning in EVENTS.items():
        assert meaning
        ledger.add(0.0, word)
    assert ledger.frame()["event"].tolist() == list(EVENTS)


@pytest.mark.parametrize("word", ["selling", "", "W1", None])
def test_an_unknown_event_is_refused_and_leaves_nothing(word: Any) -> None:
    """W1 is a text that this ledger knows, but no event."""
    ledger = book(FULL)
    before = ledger.digest()
    with pytest.raises(ValueError, match=f"event '{word}' is unknown. Use one of ordering, "):
        ledger.add(1.0, word)
    assert (len(ledger), ledger.digest()) == (1, before)


@pytest.mark.parametrize(
    "wrong",
    [{"quantity": None}, {"quantity": "5"}, {"time": None}, {"lot": 1.5}, {"lot": 2**70},
     {"site": None}, {"site": 3}, {"asset": ["T1"]}, {"amount": "much"}, {"recorded": "noon"}],
    ids=str,
)
def test_a_row_that_fails_half_way_leaves_nothing(wrong: dict[str, Any]) -> None:
    ledger = book(FULL)
    with pytest.raises((TypeError, OverflowError)):
        ledger.add(**(FULL | wrong))
    short = {"time": 8.0, "event": "lost"}
    assert rows_of(book(short, ledger=ledger)) == rows_of(book(FULL, short))


# ---- memory ----


def test_a_column_takes_room_from_its_first_use() -> None:
    plain, late = Ledger(), Ledger()
    for i in range(5000):
        plain.add(float(i), "storing", site="W1", product="tea", quantity=1.0)
        late.add(float(i), "storing", site="W1", product="tea", quantity=1.0)
    assert plain.nbytes / 5000 < 40
    before = late.nbytes
    late.add(5000.0, "storing", cause="late")
    assert 4 * 5000 < late.nbytes - before < 8 * 5000
    assert late.frame()["cause"].tolist() == [""] * 5000 + ["late"]


def test_all_columns_take_at_most_150_bytes_an_event() -> None:
    for n in (3000, 5000, 8000):
        ledger = book(*[FULL] * n)
        assert ledger.nbytes / n < 150


# ---- the fingerprint ----


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_counts(name: str) -> None:
    other = {"s": "lost" if name == "event" else "other", "q": 99, "d": 77.25}[COLUMNS[name]]
    blank: Any = {"s": "lost" if name == "event" else "", "q": 0, "d": 0.0}[COLUMNS[name]]
    found = {book(FULL, FULL | {name: value}).digest() for value in (FULL[name], other, blank)}
    assert len(found) == (2 if name == "event" else 3)


def test_texts_do_not_move_between_columns_or_rows() -> None:
    one, other = {"time": 0.0, "event": "lost", "site": "A", "product": "B"}, \
        {"time": 0.0, "event": "lost", "site": "B", "product": "A"}
    found = {book(one, other).digest(), book(other, one).digest(), book(one, one).digest(),
             book(one).digest(), book().digest()}
    assert len(found) == 5


def test_the_order_in_which_texts_are_met_does_not_count() -> None:
    fresh, used = Ledger(), Ledger()
    with pytest.raises(TypeError):
        used.add(0.0, "lost", site="C9", product="tea", quantity=None)  # type: ignore[arg-type]
    used._code("W1")
    assert book(FULL, ledger=fresh).digest() == book(FULL, ledger=used).digest()


def test_times_count_to_the_millisecond() -> None:
    ms = 1 / 3.6e6
    assert book(FULL).digest() == book(FULL | {"time": 1.5 + ms / 9, "recorded": 2.5}).digest()
    assert book(FULL).digest() != book(FULL | {"time": 1.5 + ms}).digest()
    assert book(FULL).digest() == book(FULL | {"quantity": 5.0 + 1e-9}).digest()
    assert book(FULL).digest() != book(FULL | {"quantity": 5.0 + 1e-4}).digest()
    assert book(FULL | {"amount": -0.0}).digest() == book(FULL | {"amount": 0.0}).digest()


def test_huge_numbers_have_a_fingerprint() -> None:
    assert book(FULL | {"quantity": 1e300, "time": 1e300, "recorded": None, "lot": 2**62}).digest()


def test_room_that_is_not_used_does_not_count() -> None:
    ledger = Ledger()
    with pytest.raises(TypeError):  # makes room for every column, then fails
        ledger.add(**(FULL | {"quantity": None}))
    short = {"time": 8.0, "event": "lost"}
    assert book(short, ledger=ledger).digest() == book(short).digest()


def test_the_fingerprint_is_the_same_tomorrow() -> None:
    assert book(FULL, {"time": 8.0, "event": "lost"}).digest() == (
        "7629d92d3b32a5daf8227568d4e500ee")


# ---- spilling ----


@pytest.mark.parametrize("chunk", [1, 300, 1399, 1400])
def test_spilling_changes_nothing_but_memory(tmp_path: Path, chunk: int) -> None:
    n = 12 if chunk == 1 else 1000
    kept, spilled = many(Ledger(), n), many(Ledger(tmp_path / "parts", chunk), n)
    assert len(spilled) == len(kept)
    assert len(spilled.spilled) == len(kept) // chunk
    assert spilled.frame().to_csv() == kept.frame().to_csv()
    assert spilled.digest() == kept.digest()
    spilled.write(tmp_path / "all.parquet")
    kept.write(tmp_path / "kept.parquet")
    both = [Ledger.read(tmp_path / name) for name in ("all.parquet", "kept.parquet")]
    assert [one.digest() for one in both] == [kept.digest()] * 2
    assert both[0].frame().to_csv() == kept.frame().to_csv()


def test_memory_stays_bounded(tmp_path: Path) -> None:
    ledger = many(Ledger(tmp_path, 500))
    few, short = ledger.nbytes, many(Ledger())
    assert few < short.nbytes / 2
    assert ledger.add(1e3, "lost") == len(short) + 1


def test_two_ledgers_do_not_spill_over_each_other(tmp_path: Path) -> None:
    many(Ledger(tmp_path, 500))
    with pytest.raises(ValueError, match=r"ledger-00000.parquet holds rows of another ledger"):
        many(Ledger(tmp_path, 500))


def test_a_chunk_holds_rows() -> None:
    with pytest.raises(ValueError, match="chunk 0 holds no rows"):
        Ledger("parts", 0)


def test_a_ledger_travels_between_processes(tmp_path: Path) -> None:
    for ledger in (many(Ledger()), many(Ledger(tmp_path, 400))):
        came = pickle.loads(pickle.dumps(ledger))
        assert came.digest() == ledger.digest()
        assert came.add(1e3, "lost", site="new") == ledger.add(1e3, "lost", site="new")
        assert came.digest() == ledger.digest()


# ---- files ----


def test_a_file_reads_back_and_goes_on(tmp_path: Path) -> None:
    ledger = book(FULL, {"time": 0.25, "event": "lost", "site": "Köln's \"best\""})
    path = tmp_path / "the ledger's.parquet"
    ledger.write(path)
    again = Ledger.read(path)
    assert again.frame().equals(ledger.frame())
    assert book(FULL, ledger=again).digest() == book(FULL, ledger=ledger).digest()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_empty_ledger_is_a_ledger(tmp_path: Path) -> None:
    Ledger().write(tmp_path / "none.parquet")
    again = Ledger.read(tmp_path / "none.parquet")
    assert len(again) == 0
    assert again.digest() == Ledger().digest()
    assert list(again.frame().columns) == ["id", *COLUMNS]
    assert again.add(1.0, "lost") == 1


def test_several_ledgers_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    what = {"baseline": book(FULL), "it's": many(Ledger(tmp_path / "parts", 300)), "none": Ledger()}
    write_ledgers(path, what)
    table = duckdb.sql(f"select scenario, count(*) from '{path}' group by 1").fetchall()
    assert dict(table) == {"baseline": 1, "it's": 1399}
    assert Ledger.read(path, "it's").digest() == what["it's"].digest()
    with pytest.raises(ValueError, match=r"holds several\. Choose one of baseline, it's"):
        Ledger.read(path)
    with pytest.raises(ValueError, match=r"scenario 'spike' is not in .* Choose one of baseline"):
        Ledger.read(path, "spike")


def test_one_named_ledger_needs_no_name_to_be_read(tmp_path: Path) -> None:
    write_ledgers(tmp_path / "one.parquet", {"baseline": book(FULL)})
    assert Ledger.read(tmp_path / "one.parquet").digest() == book(FULL).digest()


def recorded(path: Path, columns: str, *rows: str) -> Path:
    duckdb.sql(f"copy (select * from (values {', '.join(rows)}) t({columns})) "
               f"to '{path}' (format parquet)")
    return path


def test_events_recorded_elsewhere(tmp_path: Path) -> None:
    """Fewer columns, other types, no values, rows out of order: real operations."""
    path = recorded(tmp_path / "wms.parquet", "id, event, time, site, quantity, lot",
                    "(20, 'picking', 3, 'W1', null, null)", "(10, 'storing', 1, null, 4, 12)")
    assert rows_of(Ledger.read(path)) == rows_of(book(
        {"time": 1.0, "event": "storing", "quantity": 4.0, "lot": 12},
        {"time": 3.0, "event": "picking", "site": "W1"},
    ))


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("time, event", "(1, 'selling')", "row 1: event 'selling' is unknown. Use one of ordering"),
        ("time, event", "(1, null)", "row 1: event '' is unknown"),
        ("time, event", "(null, 'lost')", "row 1: the time is missing or infinite"),
        ("time, event", "('noon', 'lost')", "noon"),
        ("time, site", "(1, 'W1')", "column 'event' is missing"),
        ("time, event, colour", "(1, 'lost', 'red')", "column 'colour' is unknown. Use time, "),
    ],
)
def test_what_is_no_ledger_is_refused(
    tmp_path: Path, columns: str, row: str, message: str
) -> None:
    path = recorded(tmp_path / "wms.parquet", columns, row)
    with pytest.raises(ValueError, match=message) as refusal:
        Ledger.read(path)
    assert str(path) in str(refusal.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone.parquet is not there"):
        Ledger.read(tmp_path / "gone.parquet")
    (tmp_path / "text.parquet").write_text("time,event\n1,lost\n")
    with pytest.raises(ValueError, match=r"text.parquet is not a Parquet file"):
        Ledger.read(tmp_path / "text.parquet")


# ---- any rows ----

TEXT = st.sampled_from(["", "W1", "W2", "tea", "shipping", "a'b", "Ö"])
WHOLE = st.sampled_from([0, 1, 2, -3, 2**40])
NUMBER = st.floats(-1e6, 1e6).map(lambda x: round(x, 3) + 0.0)
ROWS = st.lists(st.fixed_dictionaries(
    {"time": NUMBER, "event": st.sampled_from(sorted(EVENTS))},
    optional={name: {"s": TEXT, "q": WHOLE, "d": NUMBER}[kind] for name, kind in COLUMNS.items()
              if name not in ("time", "event")}), max_size=12)


@given(ROWS, st.integers(1, 5))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_rows_survive(tmp_path_factory: pytest.TempPathFactory, rows: Any, chunk: int) -> None:
    folder = tmp_path_factory.mktemp("any")
    kept, spilled = book(*rows), book(*rows, ledger=Ledger(folder, chunk))
    blank = {name: {"s": "", "q": 0, "d": 0.0}[kind] for name, kind in COLUMNS.items()}
    assert rows_of(kept) == [blank | {"recorded": row["time"]} | row for row in rows]
    assert spilled.digest() == kept.digest()
    spilled.write(folder / "all.parquet")
    assert rows_of(Ledger.read(folder / "all.parquet")) == rows_of(kept)


def test_what_was_known_at_the_start_is_still_known_when_read(tmp_path: Path) -> None:
    """A file whose only `recorded` was 0 came back as recorded when it happened."""
    book({"time": 1.0, "event": "arriving", "recorded": 0.0}).write(tmp_path / "one.parquet")
    assert rows_of(Ledger.read(tmp_path / "one.parquet"))[0]["recorded"] == 0.0
