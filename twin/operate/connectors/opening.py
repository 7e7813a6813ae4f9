"""Connectors from the configuration: one mapping each, with a form of its own if it has one.

    connectors:
      acme:      {type: folder, folder: outbox/acme, form: edifact, sender: TWIN, receiver: ACME}
      mes:       {type: topic, url: mqtt://plant:1883, topic: mes/jobs, form: job_order}
      erp:       {type: rest, url: https://erp.example/orders, secret: TWIN_ERP_SECRET}
      warehouse: {type: table, address: TWIN_WMS_DATABASE, table: twin_commands}

Secrets and addresses with passwords are named, not written: the value is the environment variable
that holds them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.operate.connectors.contract import Connector
from twin.operate.connectors.folder import Folder
from twin.operate.connectors.rest import Rest
from twin.operate.connectors.table import Table
from twin.operate.connectors.topic import Topic
from twin.operate.forms import Form, form_of

_KEYS = {"folder": ("folder",), "topic": ("url", "topic"), "rest": ("url", "secret"),
         "table": ("address", "table")}
_OPTIONAL = {"table"}


def open_connector(name: str, settings: Mapping[str, Any], *, root: Path | None = None,
                   wired: Mapping[str, Any] | None = None) -> Connector:
    """A connector of a mapping of settings.

    Parameters
    ----------
    root
        Where relative folders lie; the current directory if left out.
    wired
        What forms need from other rooms: ``to_epcis`` for the form epcis.

    Raises
    ------
    ValueError
        If a setting is unknown or missing, or a variable of the environment is not set.

    Examples
    --------
    >>> open_connector("acme", {"type": "folder", "folder": "out", "form": "csv"}).guarantee.value
    'atomically named file'
    >>> open_connector("acme", {"type": "fax"})
    Traceback (most recent call last):
    ...
    ValueError: connector acme: type 'fax' is unknown. Use one of folder, rest, table, topic.
    """
    said = dict(settings)
    kind = str(said.pop("type", ""))
    if kind not in _KEYS:
        raise ValueError(f"connector {name}: type '{kind[:40]}' is unknown. Use one of "
                         f"{', '.join(sorted(_KEYS))}.")
    own = {key: said.pop(key) for key in _KEYS[kind] if key in said}
    missing = [key for key in _KEYS[kind] if key not in own and key not in _OPTIONAL]
    if missing:
        raise ValueError(f"connector {name}: {missing[0]} is missing. A {kind} needs "
                         f"{' and '.join(_KEYS[kind])}.")
    form = _form(name, said, wired or {})
    if kind == "folder":
        return Folder(name, (root or Path()) / str(own["folder"]), form or form_of("json"))
    if kind == "topic":
        return Topic(name, str(own["url"]), str(own["topic"]), form=form)
    if kind == "rest":
        return Rest(name, str(own["url"]), _secret(name, own["secret"]).encode(), form=form)
    if form is not None:
        raise ValueError(f"connector {name}: a table has columns, so it takes no form.")
    return Table(name, _secret(name, own["address"]), str(own.get("table", "twin_commands")))


def _form(name: str, said: dict[str, Any], wired: Mapping[str, Any]) -> Form | None:
    """The form of what is left of the settings."""
    kind = said.pop("form", None)
    if kind is None:
        if said:
            raise ValueError(f"connector {name}: '{min(said)[:40]}' is unknown. Settings of a form "
                             "need 'form'.")
        return None
    if kind == "epcis":
        said |= {key: wired[key] for key in ("to_epcis",) if key in wired}
    try:
        return form_of(str(kind), said)
    except ValueError as error:
        raise ValueError(f"connector {name}: {error}") from None


def _secret(name: str, variable: Any) -> str:
    value = os.environ.get(str(variable), "")
    if not value:
        raise ValueError(f"connector {name}: the environment has no {str(variable)[:60]}. Set it "
                         "to the secret, or name another variable.")
    return value
