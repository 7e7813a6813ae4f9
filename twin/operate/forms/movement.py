"""A movement as EPCIS 2.0: goods that are to leave a site for another.

The words of the standard are those of readings; who writes them is given by the door, since sensing
is another room. A movement that is taken back is the same event with an error declaration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import deed_of, instant
from twin.operate.forms.purchase import moment_now
from twin.readings import Reading, format_instant

#: Writes readings as an EPCIS document; `created` in seconds since 1970.
Writer = Callable[..., dict[str, Any]]
_MOVES = ("move", "transfer", "reroute", "order", "expedite")


class EpcisMovement:
    """An ObjectEvent of the step shipping: what, how much, from where, to where, for which order.

    Parameters
    ----------
    to_epcis
        `twin.sense.epcis_export.to_epcis`.
    base
        A web domain of your own, below which names become identifiers.
    """

    name, media_type, suffix = "epcis", "application/ld+json", ".jsonld"

    def __init__(self, to_epcis: Writer, base: str = "",
                 clock: Callable[[], datetime] = moment_now) -> None:
        self.to_epcis, self.base, self.clock = to_epcis, base, clock

    def write(self, message: Message) -> bytes:
        """The document as UTF-8."""
        known = {"base": self.base} if self.base else {}
        document = self.to_epcis(self._readings(message), created=self.clock().timestamp(), **known)
        return json.dumps(document, ensure_ascii=False).encode()

    def _readings(self, message: Message) -> Sequence[Reading]:
        deed = deed_of(message)
        if deed.verb not in _MOVES:
            raise ValueError(f"'{deed.verb[:40]}' moves nothing. Use one of {', '.join(_MOVES)}, "
                             "or another connector.")
        if not deed.source or not deed.site:
            raise ValueError("a movement needs where it starts (source) and ends (site).")
        at = (instant(deed.when) or self.clock()).timestamp()
        name = message.undoes or message.key
        back = f"!{format_instant(self.clock().timestamp())}" if deed.back else ""
        return [Reading(
            sensor="twin", id=name + back, time=at, kind="shipping", site=deed.source,
            to_site=deed.site, product=deed.product, quantity=deed.quantity,
            lot=str(deed.more.get("lot", "")), order=deed.number,
            cause="error:did_not_occur" if deed.back else "")]
