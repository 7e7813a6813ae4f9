"""Files in a folder: each message a file that is named by its key and appears whole.

Guarantee: *atomically named file*. The name comes from the key; the text is written beside it and
renamed, so that a reader sees the whole file or none; a copy in ``.sent`` remembers that it was
there after the reader has taken it away. Any form may be written (`twin.operate.forms`).
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from twin.operate.connectors.contract import Guarantee, Message, Refused, Unreachable
from twin.operate.forms.contract import Form


class Folder:
    """Writes files for another system to pick up.

    Parameters
    ----------
    folder
        Where; it is made if it is not there.
    form
        Of the files.

    Examples
    --------
    >>> import tempfile
    >>> from twin.operate.forms import form_of
    >>> out = Folder("erp", Path(tempfile.mkdtemp()), form_of("json"))
    >>> out.send(Message("R-17/1", "order")), out.send(Message("R-17/1", "order"))
    ('R-17_1-97f842ec.json', 'R-17_1-97f842ec.json was there')
    """

    guarantee = Guarantee.BY_NAME

    def __init__(self, name: str, folder: Path, form: Form) -> None:
        self.name, self.folder, self.form = name, Path(folder), form

    def send(self, message: Message) -> str:
        """Write the file, unless it is there or was taken away."""
        try:
            said = self.form.write(message)
        except ValueError as error:
            raise Refused(f"{self.name}: {error}") from None
        name = file_name(message.key) + self.form.suffix
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            taken = self.folder / ".sent" / name
            if path.exists() or taken.exists():
                return f"{name} was there"
            draft = self.folder / f".{name}.part"
            with draft.open("wb") as file:
                file.write(said)
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
