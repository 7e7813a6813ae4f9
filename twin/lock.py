"""A lock between processes: a file that one of them holds, let go by the system if it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType


class Lock:
    """Held by at most one process (and one `Lock`) at a time; not re-entrant.

    Parameters
    ----------
    path
        The file; it is made when first taken and stays.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "door.lock"
    >>> with Lock(path):
    ...     Lock(path).take(wait=False)
    False
    >>> Lock(path).take(wait=False)
    True
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file: int | None = None

    def take(self, *, wait: bool = True) -> bool:
        """Hold it; False if somebody else does and we do not wait."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _hold(file, wait)
        except (BlockingIOError, PermissionError):
            os.close(file)
            return False
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Let it go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Lock:
        self.take()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt
    import time

    def _hold(file: int, wait: bool) -> None:
        while True:
            try:
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
                return
            except OSError:
                if not wait:
                    raise BlockingIOError from None
                time.sleep(0.05)
else:
    import fcntl

    def _hold(file: int, wait: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder (a file made, renamed or removed) survive a power cut."""
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
