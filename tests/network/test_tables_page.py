"""The reference page follows from the attribute table."""

from pathlib import Path

from twin.network.attributes import TABLES, tables_page

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == tables_page(), (
        "docs/tables.md is out of date. Run python -m twin.network.attributes."
    )


def test_the_page_has_every_table() -> None:
    for table in TABLES:
        assert f"\n## {table}\n" in tables_page()
