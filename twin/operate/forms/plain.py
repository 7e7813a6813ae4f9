"""The plain forms: one JSON object, one row of CSV."""

from __future__ import annotations

import csv
import io
import json

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import deed_of, plain

#: Columns of the CSV form; `more` holds the rest of the action as JSON.
HEADER = ("key", "kind", "site", "product", "quantity", "unit", "when", "source", "undoes", "more")


class Json:
    """The message as one JSON object: key, kind, the action, and what it takes back.

    Examples
    --------
    >>> Json().write(Message("k1", "order", {"quantity": 4.0}))
    b'{"key": "k1", "kind": "order", "quantity": 4.0}'
    """

    name, media_type, suffix = "json", "application/json", ".json"

    def write(self, message: Message) -> bytes:
        """The message as UTF-8."""
        said = {**message.body, "key": message.key, "kind": message.kind}
        if message.undoes:
            said["undoes"] = message.undoes
        if message.head:
            said["head"] = message.head
        return json.dumps(said, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


class Csv:
    """The message as a header and one row (RFC 4180: CRLF, quotes doubled)."""

    name, media_type, suffix = "csv", "text/csv; charset=utf-8; header=present", ".csv"

    def write(self, message: Message) -> bytes:
        """The row as UTF-8."""
        deed = deed_of(message)
        more = json.dumps(dict(deed.more), sort_keys=True) if deed.more else ""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(HEADER)
        rows.writerow((message.key, message.kind, deed.site, deed.product, plain(deed.quantity),
                       deed.unit, deed.when, deed.source, message.undoes, more))
        return text.getvalue().encode()
