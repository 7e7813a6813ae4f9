"""The report: complete, self-contained, and safe with any name."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.measure import worlds
from twin.measure.report import kind_of, write_report
from twin.network import Network
from twin.tally import Tally

NASTY = "<script>alert(1)</script>&amp;"


class Page(HTMLParser):
    """Tags and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = {"baseline": [worlds.run("baseline", i) for i in range(6)],
            "port_closure": [worlds.run("port_closure", i, 1.0) for i in range(6)],
            "expedite": [worlds.run("expedite", i) for i in range(6)]}
    world = worlds.network()
    file = write_report(worlds.result(runs, world), world, tmp_path_factory.mktemp("report"))
    assert file.name == "report.html"
    return file.read_text(encoding="utf-8")


def test_the_page_says_what_was_asked_and_answered(html: str) -> None:
    page = Page(html)
    assert not page.open
    for words in ("Paper from mill to shop", "port_closure happens.", "Headline KPIs", "Fill rate",
                  "worse", "no effect shown", "more replications", "KPIs by place", "press_1",
                  "Machines", "Manifest", "EUR/d"):
        assert words in page.text


def test_verdicts_stand_in_words_and_signs(html: str) -> None:
    cells = re.findall(r'<span class="word (\w+)">(.) ([a-z ]+)</span>', html)
    assert {(css, sign, word) for css, sign, word in cells} >= {
        ("worse", "\u25bc", "worse"), ("no", "\u25cb", "no effect shown")}


def test_nothing_is_fetched_from_outside(html: str) -> None:
    page = Page(html)
    assert not re.search(r"https?://|url\(|@import|<link|<iframe|<object", html)
    sources = [attrs["src"] for tag, attrs in page.tags if tag == "img"]
    assert len(sources) == 4
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)
    policy = [attrs["content"] for _, attrs in page.tags
              if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'")


def test_every_picture_has_words_for_those_who_cannot_see_it(html: str) -> None:
    assert all(attrs["alt"] for tag, attrs in Page(html).tags if tag == "img")


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    sites = [{"site": NASTY, "kind": "warehouse"}, {"site": "B" + NASTY, "kind": "customer"}]
    world = Network(title=NASTY, sites=sites, currency="<b>")
    sums = {("units_ordered", NASTY, NASTY, NASTY): 9.0, ("revenue", NASTY, NASTY, NASTY): 9.0}
    runs = {name: [Tally(name, i, 0.0, 48.0, sums) for i in range(2)]
            for name in ("baseline", NASTY)}
    result = worlds.result(runs, world, note={NASTY: NASTY})
    html = write_report(result, world, tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "<script>alert" not in html
    assert NASTY in page.text


def test_a_baseline_alone_and_one_replication_are_reported(tmp_path: Path) -> None:
    world = worlds.network()
    runs = {"baseline": [worlds.run("baseline", 0)]}
    text = Page(write_report(worlds.result(runs, world), world, tmp_path)
                .read_text(encoding="utf-8")).text
    assert "What was asked" not in text
    assert "1 replication and" in text
    assert " nan" not in text.lower()


def test_places_stand_in_the_table_of_their_kind() -> None:
    world = worlds.network()
    assert [kind_of(place, world) for place in (
        "hub", "hub:lyon:road", "*:*:sea", "press_1", "press_2#1", "works/press", "hub/out")] == [
        "Sites", "Lanes", "Modes of transport", "Machines", "Machines", "Work centres",
        "Storage areas and docks"]
