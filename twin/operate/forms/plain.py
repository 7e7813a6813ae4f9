"""The plain forms: a CloudEvent, one JSON object, one row of CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import deed_of, plain

#: Columns of the CSV form; `more` holds the rest of the action as JSON.
HEADER = ("key", "kind", "site", "product", "quantity", "unit", "when", "source", "undoes", "more")


class CloudEvent:
    """The message as a whole CloudEvent 1.0 (structured mode)."""

    name, media_type, suffix = "cloudevents", "application/cloudevents+json", ".json"

    def write(self, message: Message) -> bytes:
        """The event as UTF-8."""
        return json.dumps(cloud_event(message), indent=1, sort_keys=True).encode() + b"\n"


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


def cloud_event(message: Message) -> dict[str, Any]:
    """A message as a CloudEvent 1.0.

    Examples
    --------
    >>> event = cloud_event(Message("k1", "order", {"product": "tea"}))
    >>> event["specversion"], event["id"], event["type"], event["data"]["product"]
    ('1.0', 'k1', 'twin.order', 'tea')
    """
    event: dict[str, Any] = {
        "specversion": "1.0", "id": message.key, "source": "twin", "type": f"twin.{message.kind}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "datacontenttype": "application/json", "data": message.body}
    if message.undoes:
        event["twinundoes"] = message.undoes
    if message.head:
        event["twinhead"] = message.head
    return event
