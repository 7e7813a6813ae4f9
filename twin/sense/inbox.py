"""A folder that other systems put files into: which are new or changed, and which are safe.

What was taken is remembered in a small file beside the store, by name, size and time of change;
a file that is written anew is taken anew, and what it repeats falls away by its key.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.sense.source import SourceError


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as it stood when it was found.

    Parameters
    ----------
    path
        Where it is.
    name
        Its path inside the folder.
    mark
        Size in bytes and time of change in nanoseconds.
    """

    path: Path
    name: str
    mark: tuple[int, int]

    @property
    def changed(self) -> float:
        """When it was written, seconds since 1970-01-01 UTC."""
        return self.mark[1] / 1e9


class Inbox:
    """A folder and the memory of what was taken from it.

    Parameters
    ----------
    folder
        Where files are put. Names that begin with a dot or end in ``.part`` are still being
        written.
    patterns
        Which files, such as ``*.json``.
    memory
        The folder that keeps the memory.

    Raises
    ------
    SourceError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> _ = (root / "a.csv").write_text("x")
    >>> inbox = Inbox(root, ["*.csv"], root / "memory")
    >>> [found] = inbox.arrivals()
    >>> inbox.remember(found)
    >>> Inbox(root, ["*.csv"], root / "memory").arrivals()
    []
    """

    def __init__(self, folder: Path | str, patterns: Sequence[str], memory: Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise SourceError(f"source '{folder}' is not a folder. Make it, and put files into it.")
        self.patterns = list(patterns)
        mark = hashlib.blake2b(str(self.folder.resolve()).encode(), digest_size=6).hexdigest()
        self._memory = memory / f"{self.folder.name}-{mark}.json"
        self._taken = self._recall()

    def _recall(self) -> dict[str, list[int]]:
        try:
            found = json.loads(self._memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # without a memory everything is taken again, and falls away by its key
        return found if isinstance(found, dict) else {}

    def arrivals(self) -> list[Arrival]:
        """Files that are new or have changed, in order of their names."""
        found: dict[str, Arrival] = {}
        for pattern in self.patterns:
            for path in self.folder.rglob(pattern):
                name = path.relative_to(self.folder).as_posix()
                if path.name.startswith(".") or name.endswith(".part") or not path.is_file():
                    continue
                stat = path.stat()
                arrival = Arrival(path, name, (stat.st_size, stat.st_mtime_ns))
                if self._taken.get(name) != list(arrival.mark):
                    found[name] = arrival
        return [found[name] for name in sorted(found)]

    def remember(self, *arrivals: Arrival) -> None:
        """These files are safe; they come again only when they change."""
        self._taken |= {arrival.name: list(arrival.mark) for arrival in arrivals}
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        draft = self._memory.with_suffix(".part")
        draft.write_text(json.dumps(self._taken, indent=0, sort_keys=True), encoding="utf-8")
        draft.replace(self._memory)


def pause(wait_s: float) -> None:
    """Wait before a folder is looked at again."""
    time.sleep(min(max(wait_s, 0.0), 1.0))
