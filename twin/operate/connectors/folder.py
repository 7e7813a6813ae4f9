"""Files in a folder: each message a file that is named by its key and appears whole."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable

#: Makes the text of a file from a message.
Format = Callable[[Message], str]


class Folder:
    """Writes files for another system to pick up.

    Parameters
    ----------
    folder
        Where; it is made if it is not there.
    form, suffix
        Of the files.
    """

    guarantee = Guarantee.BY_NAME

    def __init__(self, name: str, folder: Path, form: Format, suffix: str) -> None:
        self.name, self.folder, self.form, self.suffix = name, Path(folder), form, suffix

    def send(self, message: Message) -> str:
        """Write the file, unless it is there or was taken away."""
        try:
            text = self.form(message)
        except ValueError as error:
            raise Refused(f"{self.name}: {error}") from None
        name = file_name(message.key) + self.suffix
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            taken = self.folder / ".sent" / name
            if path.exists() or taken.exists():
                return f"{name} was there"
            draft = self.folder / f".{name}.part"
            with draft.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            taken.parent.mkdir(exist_ok=True)
            taken.touch()
        except OSError as error:
            raise Unreachable(f"{self.name}: {error.strerror}: {path.name}") from None
        return name

    def close(self) -> None:
        """Nothing to let go of."""


def file_name(key: str) -> str:
    """A key as the name of a file, different for different keys.

    Examples
    --------
    >>> file_name("R-17/order")
    'R-17_order-5be9ce35'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", key)[:80].lstrip(".")
    return f"{plain}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
