"""What a message looks like in a file. A new form is a line of `FORMS`."""

from __future__ import annotations

import csv
import io
import json

from twin.operate.connectors.contract import Message
from twin.operate.connectors.folder import Format
from twin.operate.connectors.rest import cloud_event


def json_text(message: Message) -> str:
    """A CloudEvent as JSON."""
    return json.dumps(cloud_event(message), indent=1, sort_keys=True) + "\n"


def csv_text(message: Message) -> str:
    """A header and one row.

    Examples
    --------
    >>> print(csv_text(Message("k1", "order", {"target": "W/tea", "quantity": 4.0})), end="")
    key,kind,undoes,head,quantity,target
    k1,order,,,4.0,W/tea
    """
    body = {name: value for name, value in sorted(message.body.items())
            if isinstance(value, str | int | float)}
    text = io.StringIO()
    row = {"key": message.key, "kind": message.kind, "undoes": message.undoes,
           "head": message.head, **body}
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


#: By the name in the configuration: how a message is written, and the ending of its file.
FORMS: dict[str, tuple[Format, str]] = {"json": (json_text, ".json"), "csv": (csv_text, ".csv")}
