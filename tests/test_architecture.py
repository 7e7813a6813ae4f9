"""The rooms of `twin/` and what may pass between them (docs/decisions/0002-rooms-and-documents.md).

`faults(root)` reads every module with `ast` and gives one sentence for each breach. It is tried on
the package, which must have none, and on small bad trees, which must have theirs.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = {"network", "sense", "calibrate", "simulate", "measure", "optimize", "operate"}
#: "" is twin/__init__.py
DOORS = {"", "__main__", "workspace", "experiment", "rehearse", "commands", "serve"}
OPEN_TO_ALL = {"network"}  # the one room whose words every other room speaks

#: library -> who alone may import it ("document" stands for any top-level document)
ONLY = {
    "simpy": {"simulate"},
    "distributed": {"simulate"},
    "dask": {"simulate"},
    "joblib": {"simulate"},
    "networkx": {"network"},
    "matplotlib": {"measure"},
    "ortools": {"optimize"},
    "pyvrp": {"optimize"},
    "hydra": {"workspace"},
    "omegaconf": {"workspace"},
    "rich": {"__main__", "commands"},
}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
LONGEST = 400
#: Longer for a reason: one table, or one actor told in one place.
EXCUSED = {"network/attributes.py", "network/components.py"}


class Module:
    """One source file: its dotted name inside `twin`, where it belongs, and what it imports."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = path
        self.file = path.relative_to(root).as_posix()
        parts = path.relative_to(root).with_suffix("").parts
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(("twin", *(parts[:-1] if self.is_package else parts)))
        self.place = "" if parts == ("__init__",) else parts[0]
        self.text = path.read_text(encoding="utf-8")

    def imports(self, known: set[str]) -> Iterator[tuple[str, bool]]:
        """(dotted name, whether it runs when the module is imported) of everything imported."""
        tree = ast.parse(self.text, filename=self.file)
        for node, at_import in _walk(tree, True):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, at_import
            elif isinstance(node, ast.ImportFrom):
                source = node.module or ""
                if node.level:
                    here = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
                    here = here[: len(here) - node.level + 1]
                    source = ".".join([*here, *([source] if source else [])])
                for alias in node.names:
                    whole = f"{source}.{alias.name}"
                    yield (whole if whole in known else source), at_import


def _walk(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue  # none holds an import
        yield child, at_import
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _walk(child, at_import and not typing_only and not function)


def faults(root: Path, excused: set[str] = EXCUSED) -> list[str]:
    """One sentence for each breach of the architecture under the package folder `root`."""
    modules = [Module(root, path) for path in sorted(root.rglob("*.py"))]
    known = {module.name for module in modules}
    found: list[str] = []
    edges: dict[str, set[str]] = {module.name: set() for module in modules}
    for module in modules:
        if module.place not in DOORS | ROOMS and module.is_package:
            found.append(f"{module.file}: '{module.place}' is not a room of the design")
        for name in (*Path(module.file).parts[:-1], Path(module.file).stem):
            if name in BANNED_NAMES:
                found.append(f"{module.file}: '{name}' says nothing; name the file after its noun")
        length = module.text.count("\n")
        if length > LONGEST and module.file not in excused:
            found.append(f"{module.file}: {length} lines; split it, {LONGEST} is the limit")
        for name, at_import in module.imports(known):
            library = name.split(".")[0]
            if library == "twin":
                found += _crossing(module, name)
                if at_import and name in known and name != module.name:
                    edges[module.name].add(name)
            elif library in ONLY and module.place not in ONLY[library]:
                only = " and ".join(sorted(ONLY[library]))
                found.append(f"{module.file}: imports {library}, which is for {only} alone")
    found += [f"import cycle: {' -> '.join(cycle)}" for cycle in _cycles(edges)]
    return sorted(set(found))


def _crossing(module: Module, name: str) -> list[str]:
    """The fault, if any, of `module` importing `name`, which lies inside `twin`."""
    if module.place in DOORS:
        return []
    parts = name.split(".")
    target = parts[1] if len(parts) > 1 else ""
    if target == module.place or target in OPEN_TO_ALL:
        return []
    here = f"room {module.place}" if module.place in ROOMS else "a document"
    if target in DOORS:
        return [f"{module.file}: {here} imports the door twin.{target}".rstrip(".")]
    if target in ROOMS:
        return [f"{module.file}: {here} imports the room {target}; pass it in as an argument"]
    return []


def _cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """One cycle for each strongly connected set of modules, found depth first.

    A package that imports its own modules, while these name it, is Python's usual way of
    re-exporting; only a module that imports its package back would be a cycle.
    """
    cycles: list[list[str]] = []
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(name: str) -> None:
        state[name] = 1
        path.append(name)
        for other in sorted(edges.get(name, ())):
            if state.get(other) == 1:
                cycles.append([*path[path.index(other) :], other])
            elif other not in state:
                visit(other)
        path.pop()
        state[name] = 2

    for name in sorted(edges):
        if name not in state:
            visit(name)
    return cycles


# ---- the package ----


def test_the_rooms_keep_to_the_design() -> None:
    assert faults(ROOT / "twin") == []


def test_excused_modules_exist_and_need_the_excuse() -> None:
    for file in EXCUSED:
        assert (ROOT / "twin" / file).read_text().count("\n") > LONGEST, f"{file}: drop the excuse"


# ---- the checker can fail ----


def tree(folder: Path, **files: str) -> Path:
    """A package at `folder`/twin: `a__b="..."` is the file a/b.py, `init` is __init__.py."""
    root = folder / "twin"
    for name, text in {"init": "", **files}.items():
        parts = ["__init__" if part == "init" else part for part in name.split("__")]
        path = root.joinpath(*parts).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {"measure__init": "", "simulate__play": "from twin.measure import kpis\n"},
            "simulate/play.py: room simulate imports the room measure; pass it in as an argument",
        ),
        (
            {"measure__init": "", "simulate__play": "def f():\n    from ..measure import kpis\n"},
            "simulate/play.py: room simulate imports the room measure; pass it in as an argument",
        ),
        (
            {"measure__init": "", "tally": "import twin.measure\n"},
            "tally.py: a document imports the room measure; pass it in as an argument",
        ),
        (
            {"workspace": "", "network__init": "from twin import workspace\n"},
            "network/__init__.py: room network imports the door twin.workspace",
        ),
        (
            {"measure__kpis": "import simpy\n"},
            "measure/kpis.py: imports simpy, which is for simulate alone",
        ),
        ({"clock": "import a\n" * 401}, "clock.py: 401 lines; split it, 400 is the limit"),
        (
            {"network__utils": ""},
            "network/utils.py: 'utils' says nothing; name the file after its noun",
        ),
        ({"gadgets__init": ""}, "gadgets/__init__.py: 'gadgets' is not a room of the design"),
        (
            {
                "network__a": "from twin.network import b\n",
                "network__b": "from .a import x\n",
                "network__init": "",
            },
            "import cycle: twin.network.a -> twin.network.b -> twin.network.a",
        ),
    ],
    ids=[
        "room to room",
        "room to room, late",
        "document to room",
        "room to door",
        "library",
        "long",
        "name",
        "unknown room",
        "cycle",
    ],
)
def test_a_breach_is_found(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    assert faults(tree(tmp_path, **files)) == [fault]


def test_what_is_allowed_is_not_a_fault(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        init="from twin.workspace import run\n",
        tally="import numpy\n",
        network__init="from twin.network.lanes import Lane\n",
        network__lanes="import networkx\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from twin.network.sites import Site\n",
        network__sites="from twin.network.lanes import Lane\n",
        simulate__play="import simpy\nfrom twin.network import Lane\nimport twin.tally\n",
        measure__kpis="from twin.tally import Tally\n",
        workspace="import twin.simulate.play\nimport twin.measure.kpis\nimport hydra\n",
    )
    assert faults(root) == []


# ---- what stands in the repository ----

#: Addresses of package indexes, and places on a machine; written so as not to find itself.
PRIVATE = re.compile(
    r"/(?:home|Users)/[a-z][\w.-]*/|/root/|/work/[a-z]|/opt/[a-z]|/tmp/[a-z]\w*/|[A-Z]:\\\\Users"
    r"|(?:extra-)?index-url\s*[= ]\s*\S*:/|find-links\s*[= ]\s*\S+/"
    r"|pypi\.org/simple|files\.pythonhosted"
)
BINARY = {".png", ".jpg", ".gif", ".ico", ".parquet", ".whl"}


def tracked() -> list[Path]:
    """The files under version control; without git (an unpacked archive), every file by folder."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git working tree")
    return [ROOT / name for name in listed.split("\0") if name]


def test_no_tracked_file_names_a_machine_or_a_package_index() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.is_file() and path.suffix not in BINARY and path != Path(__file__).resolve()
        for match in PRIVATE.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert named == []


@pytest.mark.parametrize(
    "line",
    [
        "open('/home/ann/data.csv')",
        "--index-url https://mirror.example/simple",
        "cd /root/twin",
        "find-links = /wheels/",
        "https://files.pythonhosted.org/x.whl",
    ],
)
def test_the_search_for_private_places_finds_them(line: str) -> None:
    assert PRIVATE.search(line)


def test_no_lock_file_holds_an_address() -> None:
    locks = [
        path
        for path in tracked()
        if path.name
        in {"requirements.lock", "uv.lock", "package-lock.json", "poetry.lock", "pnpm-lock.yaml"}
        or path.match("requirements*.txt")
    ]
    assert ROOT / "requirements.lock" in locks
    for path in locks:
        assert not re.search(r"\w+://|file:", path.read_text()), f"{path.name} holds an address"


def test_the_lock_names_every_declared_dependency() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    for names in project["project"]["optional-dependencies"].values():
        wanted += names
    wanted += project["dependency-groups"]["dev"]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    names = {re.split(r"[<>=\[ ]", entry)[0].lower().replace("_", "-") for entry in wanted}
    assert sorted(names - locked) == [], "run `make lock`"
    required = {
        "simpy",
        "numpy",
        "networkx",
        "pandas",
        "ortools",
        "matplotlib",
        "hydra-core",
        "pytest",
    }
    assert required <= names
