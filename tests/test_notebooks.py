"""Notebooks are numbered questions: pairs agree, no output is stored, and every cell runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def stored(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook's file."""
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_notebooks_are_numbered_in_order() -> None:
    numbers = [re.match(r"(\d\d)_[a-z_0-9]+$", path.stem) for path in NOTEBOOKS]
    assert [int(match.group(1)) for match in numbers if match] == [
        i + 1 for i in range(len(NOTEBOOKS))
    ]


@each
@pytest.mark.slow  # it reads the pair with a library that takes seconds to load
def test_the_pair_agrees(path: Path) -> None:
    import jupytext

    script = [(cell.cell_type, cell.source.strip())
              for cell in jupytext.read(path.with_suffix(".py")).cells]
    notebook = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in stored(path)]
    assert script == notebook, "jupytext --sync"


@each
def test_no_output_is_stored(path: Path) -> None:
    for cell in stored(path):
        if cell["cell_type"] == "code":
            assert not cell["outputs"], f"{path.name} holds outputs; clear them"
            assert cell["execution_count"] is None


@each
@pytest.mark.slow
def test_every_cell_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nbformat
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
