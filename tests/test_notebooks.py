"""Notebooks are numbered questions: pairs agree, no output is stored, and every cell runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def test_notebooks_are_numbered_in_order() -> None:
    numbers = [re.match(r"(\d\d)_[a-z_0-9]+$", path.stem) for path in NOTEBOOKS]
    assert [int(match.group(1)) for match in numbers if match] == [
        i + 1 for i in range(len(NOTEBOOKS))
    ]


@each
def test_the_pair_agrees(path: Path) -> None:
    script = jupytext.read(path.with_suffix(".py"))
    assert cells(script) == cells(nbformat.read(path, as_version=4)), "jupytext --sync"


@each
def test_no_output_is_stored(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs, f"{path.name} holds outputs; clear them"
            assert cell.execution_count is None


@each
@pytest.mark.slow
def test_every_cell_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the notebook shows its own pictures
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="python3",
                   resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert any("image/png" in out.get("data", {}) for out in shown), "no picture was drawn"
    assert any("text/html" in out.get("data", {}) for out in shown), "no table was shown"
