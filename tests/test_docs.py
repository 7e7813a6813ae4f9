"""README and guides run: a reader who follows a page, line by line, gets what the page shows.

Each page is followed in a workspace of its own, from top to bottom:

- a fence after a line that is only a file name in backticks and a colon is written to that file;
- in a ``bash`` fence every `twin` command is run; of `make` and `git` lines the target must exist;
- a ``python`` fence is run, all of a page in one session;
- a ``text`` fence right after one of these is what it prints. ``...`` stands for anything.

``make pages`` writes what is printed now into the ``text`` fences that have no ``...``.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twin.__main__ import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
FILE_NAME = re.compile(r"`([\w./-]+)`:\s*\Z")
ALLOWED = {"make", "git", "cd"}
#: Pages that play for longer than a test of the fast suite may.
LONG = {"README", "act_on_advice", "calibrate_the_twin", "can_i_trust_the_number",
        "connect_your_sensors", "describe_your_chain", "how_far_can_i_trust_it",
        "what_if_a_port_closes", "what_should_we_do_now", "where_did_the_lot_go"}
KEY = "0d" * 32  #: of the log of decisions, so that no page makes one at home
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Fence:
    """One block of a page; `file` if the page says that it is a file's content."""

    kind: str
    text: str
    line: int
    file: str = ""


def fences(page: Path) -> Iterator[Fence]:
    """The blocks of a page, in order."""
    whole = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(whole):
        name = FILE_NAME.search(whole[: match.start()])
        line = whole.count("\n", 0, match.start()) + 1
        yield Fence(match.group(1), match.group(2), line, name.group(1) if name else "")


def commands(text: str) -> list[list[str]]:
    """The commands of a bash fence, comments dropped, continued lines joined."""
    lines = text.replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines]
    return [words for words in found if words]


def twin(words: list[str], where: Path) -> str:
    """What a command prints; a page may show one that is refused, so any answer but 1 is fine."""
    out, told = io.StringIO(), io.StringIO()
    with contextlib.chdir(where), contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        code = main(words)
    assert code in (0, 2), f"twin {shlex.join(words)}\n{out.getvalue()}{told.getvalue()}"
    said = out.getvalue() + (told.getvalue() if code == 2 else "")
    # Two runs of a model within a second get folders numbered 1, 2.
    return re.sub(r"outputs/[\dT-]+-([a-z_]+)(-\d+)?", r"outputs/TIME-\1", said)


def compare(page: Path, fence: Fence, printed: str) -> None:
    """Hold what a page shows against what was printed."""
    same = doctest.OutputChecker().check_output(fence.text, printed, SAME)
    place = f"{page.name} line {fence.line}"
    assert same, f"{place} shows\n{fence.text}\nbut it is\n{printed}"


def follow(page: Path, where: Path, shown: Callable[[Path, Fence, str], None] = compare) -> None:
    """Do what the page says, in the folder `where`; `shown` gets each output beside its fence."""
    session: dict[str, Any] = {"__name__": "__page__"}
    printed: str | None = None
    for fence in fences(page):
        place = f"{page.name} line {fence.line}"
        if fence.file:
            (where / fence.file).parent.mkdir(parents=True, exist_ok=True)
            (where / fence.file).write_text(fence.text, encoding="utf-8")
            printed = None
        elif fence.kind == "bash":
            printed = ""
            for words in commands(fence.text):
                if words[0] == "twin":
                    printed += twin(words[1:], where)
                else:
                    assert words[0] in ALLOWED, f"{place}: '{words[0]}' is not checked by anything"
        elif fence.kind == "python":
            out = io.StringIO()
            code = compile("\n" * fence.line + fence.text, str(page), "exec")
            with contextlib.redirect_stdout(out), contextlib.chdir(where):
                exec(code, session)
            printed = out.getvalue()
        elif fence.kind == "text" and printed is not None:
            shown(page, fence, printed)
            printed = None


def workspace(folder: Path) -> Path:
    """An empty workspace; what ships with the twin is found behind it."""
    (folder / "models").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("page", [
    pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in LONG else [])
    for page in PAGES])
def test_a_page_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TWIN_AUDIT_KEY", KEY)
    follow(page, workspace(tmp_path / "ours"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_make_targets_that_pages_name_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for fence in fences(page):
        if fence.kind == "bash":
            for words in commands(fence.text):
                if words[0] == "make":
                    assert words[1] in targets, f"{page.name}: make {words[1]}"


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert pages == re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    for name in pages:
        title = (folder / name).read_text().splitlines()[0]
        assert title.startswith(f"# {name[:4]} "), name


def test_ci_runs_the_command_of_the_readme() -> None:
    section = (ROOT / "README.md").read_text().split("\n## Test\n")[1]
    assert next(iter(FENCE.finditer(section))).group(2).splitlines()[0] == "make test"
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        ("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "page.md line 5 shows"),
        ("`models/a.txt`:\n\n```csv\nx\n```\n\n```python\nopen('models/b.txt')\n```\n", "b.txt"),
        ("```bash\ntwin nonsense\n```\n\n```text\nall is well\n```\n", "page.md line 5 shows"),
        ("```bash\nrm -r .\n```\n", "'rm' is not checked by anything"),
    ],
    ids=["other output", "no such file", "other answer", "unknown command"],
)
def test_a_page_that_lies_is_found(tmp_path: Path, page: str, trouble: str) -> None:
    lying = tmp_path / "page.md"
    lying.write_text(page)
    with pytest.raises((AssertionError, OSError), match=re.escape(trouble)):
        follow(lying, workspace(tmp_path / "ours"))


def rewrite(page: Path, where: Path) -> None:
    """Put what is printed now into the page, for a reader of the diff to judge."""
    new: list[tuple[Fence, str]] = []
    follow(page, where, lambda _, fence, printed: new.append((fence, printed)))
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for fence, printed in reversed(new):
        if "..." not in fence.text:
            body = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
            lines[fence.line : fence.line + fence.text.count("\n")] = [body]
    page.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    os.environ |= {"COLUMNS": "100", "TWIN_AUDIT_KEY": KEY}
    for one in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        with tempfile.TemporaryDirectory() as folder:
            rewrite(one, workspace(Path(folder) / "ours"))
