"""The kinds of reading: what sensors, scanners and systems say about a supply chain.

One table of attributes carries the columns, the kinds and the units. The checks at the door, the
JSON Schema, the AsyncAPI page and ``docs/readings.md`` follow from it.

A reading is either an *event*, in the words of the ledger (`twin.events.EVENTS`), or a *signal*:
one measured value, place or word.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.events import EVENTS


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a reading.

    Parameters
    ----------
    name
        Key on the wire and column on disk.
    type
        d number, s text.
    meaning
        What it says.
    unit
        Of a number.
    low, high
        What no reading can lie outside of.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reading.

    Parameters
    ----------
    name
        Its word on the wire.
    meaning
        What has been seen when it is sent.
    needs
        Columns that must be filled; ``a|b`` means one of both.
    unit
        Of `value`, after conversion.
    low, high
        What `value` can be, in that unit; outside it is an impossible reading.
    signal
        Whether it is a measured signal (or else an event of the ledger).
    """

    name: str
    meaning: str
    needs: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None
    signal: bool = True


#: Every column of a reading, in order. Times are seconds since 1970-01-01 UTC.
FIELDS = {field.name: field for field in (
    Field("sensor", "s", "the device or system that speaks"),
    Field("id", "s", "tells its readings apart; the same sensor and id is the same reading"),
    Field("time", "d", "when it was so", "s"),
    Field("recorded", "d", "when it became known here", "s"),
    Field("kind", "s", "what kind of reading"),
    Field("site", "s", "the place"),
    Field("to_site", "s", "the other place: of an order who owes it, of a shipment where it goes"),
    Field("area", "s", "the storage area, zone or reader of the place"),
    Field("asset", "s", "the machine, truck, lane or area that it is about"),
    Field("product", "s", "the product"),
    Field("lot", "s", "the lot, batch or tag"),
    Field("parent", "s", "the lot that it came from; of an order passed on, the order behind it"),
    Field("order", "s", "the order"),
    Field("shipment", "s", "the shipment"),
    Field("quantity", "d", "units of the product", "units"),
    Field("amount", "d", "money", "currency"),
    Field("value", "d", "the measured value, in the unit of its kind"),
    Field("latitude", "d", "north of the equator", "degrees", -90.0, 90.0),
    Field("longitude", "d", "east of Greenwich", "degrees", -180.0, 180.0),
    Field("state", "s", "a word: a machine's state, a manoeuvre, a set-up family"),
    Field("role", "s", "whose event: as in the ledger"),
    Field("cause", "s", "why"),
    Field("source", "s", "the system behind it"),
    Field("quality", "s", "good, uncertain or bad, as the sensor says itself"),
)}

_SIGNALS = (
    Kind("temperature", "how warm it is", ("site|asset|shipment|lot", "value"), "C",
         -273.15, 1000.0),
    Kind("humidity", "relative humidity", ("site|asset|shipment|lot", "value"), "%", 0.0, 100.0),
    Kind("pressure", "pressure", ("site|asset|shipment", "value"), "bar", 0.0, 10_000.0),
    Kind("vibration", "speed of vibration, root mean square", ("asset", "value"), "mm/s",
         0.0, 10_000.0),
    Kind("shock", "peak acceleration", ("asset|shipment|lot", "value"), "g", 0.0, 10_000.0),
    Kind("current", "electric current", ("asset", "value"), "A", 0.0, 1e6),
    Kind("power", "electric power", ("asset|site", "value"), "kW", 0.0, 1e9),
    Kind("runtime", "hours that a machine has worked in its life", ("asset", "value"), "h",
         0.0, 1e7),
    Kind("health", "any other condition signal; its name is in `state`", ("asset", "value",
         "state")),
    Kind("position", "where a truck or shipment is", ("asset|shipment", "latitude", "longitude")),
    Kind("speed", "how fast a truck drives", ("asset", "value"), "km/h", 0.0, 1_000.0),
    Kind("odometer", "kilometres that a truck has driven in its life", ("asset", "value"), "km",
         0.0, 1e8),
    Kind("fuel", "fuel in the tank", ("asset", "value"), "l", 0.0, 1e6),
    Kind("driving", "a harsh manoeuvre: braking, acceleration, cornering or speeding",
         ("asset", "state"), "g", 0.0, 100.0),
    Kind("door", "a door is open (1) or closed (0)", ("site|asset", "value"), "", 0.0, 1.0),
    Kind("sighting", "a tag was seen by a reader", ("site", "lot|product|asset|shipment")),
    Kind("count", "units of a product counted on a shelf", ("site", "product", "quantity")),
    Kind("machine_state", "what a machine does now: idle, setup, processing, blocked, down or off",
         ("asset", "state")),
    Kind("cycle", "a machine has ended a cycle of `value` hours: good units in `quantity`",
         ("asset", "value"), "h", 0.0, 1e5),
    Kind("reject", "units that a machine has rejected", ("asset", "quantity")),
    Kind("battery", "charge of the battery of the sensor itself", ("value",), "%", 0.0, 100.0),
    Kind("alive", "the sensor is online (1) or has gone (0)", ("value",), "", 0.0, 1.0),
)

_NEEDS = {
    "ordering": ("site", "product", "quantity", "order"),
    "receiving": ("site|to_site", "product", "quantity"),
    "storing": ("site|to_site", "product", "quantity"),
    "picking": ("site", "product", "quantity"),
    "shipping": ("site", "product", "quantity"),
    "departing": ("site", "to_site"),
    "arriving": ("site|to_site",),
    "delivering": ("site|to_site", "product", "quantity"),
    "commissioning": ("site", "product", "quantity"),
    "consuming": ("site", "product", "quantity"),
    "transforming": ("site", "product", "quantity"),
    "expiring": ("site|to_site", "product", "quantity"),
    "scrapping": ("site", "product", "quantity"),
    "starting": ("site", "asset"),
    "completing": ("site", "asset"),
    "setup": ("site", "asset"),
    "failing": ("asset",),
    "repairing": ("asset",),
    "lost": ("site", "product", "quantity"),
    "returning": ("site", "product", "quantity"),
}

#: Every kind by its word. Disturbances are not sensed.
KINDS = {
    **{word: Kind(word, EVENTS[word], needs, signal=False) for word, needs in _NEEDS.items()},
    **{kind.name: kind for kind in _SIGNALS},
}

#: Unit as sent -> (kinds' unit, factor, offset): value = factor * sent + offset.
UNITS: dict[str, tuple[str, float, float]] = {
    "C": ("C", 1.0, 0.0), "degC": ("C", 1.0, 0.0), "°C": ("C", 1.0, 0.0), "CEL": ("C", 1.0, 0.0),
    "F": ("C", 5 / 9, -160 / 9), "degF": ("C", 5 / 9, -160 / 9), "°F": ("C", 5 / 9, -160 / 9),
    "FAH": ("C", 5 / 9, -160 / 9), "K": ("C", 1.0, -273.15), "KEL": ("C", 1.0, -273.15),
    "%": ("%", 1.0, 0.0), "P1": ("%", 1.0, 0.0), "share": ("%", 100.0, 0.0),
    "bar": ("bar", 1.0, 0.0), "BAR": ("bar", 1.0, 0.0), "mbar": ("bar", 1e-3, 0.0),
    "hPa": ("bar", 1e-3, 0.0), "Pa": ("bar", 1e-5, 0.0), "kPa": ("bar", 1e-2, 0.0),
    "MPa": ("bar", 10.0, 0.0), "psi": ("bar", 0.0689475729, 0.0),
    "mm/s": ("mm/s", 1.0, 0.0), "m/s": ("mm/s", 1e3, 0.0), "in/s": ("mm/s", 25.4, 0.0),
    "g": ("g", 1.0, 0.0), "mg": ("g", 1e-3, 0.0), "m/s2": ("g", 1 / 9.80665, 0.0),
    "A": ("A", 1.0, 0.0), "mA": ("A", 1e-3, 0.0),
    "W": ("kW", 1e-3, 0.0), "kW": ("kW", 1.0, 0.0), "MW": ("kW", 1e3, 0.0),
    "s": ("h", 1 / 3600, 0.0), "min": ("h", 1 / 60, 0.0), "h": ("h", 1.0, 0.0),
    "d": ("h", 24.0, 0.0),
    "km": ("km", 1.0, 0.0), "m": ("km", 1e-3, 0.0), "mi": ("km", 1.609344, 0.0),
    "km/h": ("km/h", 1.0, 0.0), "mph": ("km/h", 1.609344, 0.0), "kn": ("km/h", 1.852, 0.0),
    "l": ("l", 1.0, 0.0), "L": ("l", 1.0, 0.0), "gal": ("l", 3.785411784, 0.0),
    "": ("", 1.0, 0.0),
}
#: The same word for another quantity: (word, unit of the kind) -> factor.
ALSO = {("m/s", "km/h"): 3.6, ("share", ""): 1.0}


#: Words for units of a product, in which a quantity is counted.
PIECES = ("", "units", "unit", "pieces", "pcs", "each", "EA", "H87", "C62", "PCE")


def in_unit(value: float, sent: str, unit: str) -> float:
    """A value in the unit of its kind.

    Raises
    ------
    ValueError
        If the unit sent is unknown, or of another quantity.

    Examples
    --------
    >>> round(in_unit(41.0, "F", "C"), 6), in_unit(10.0, "m/s", "km/h")
    (5.0, 36.0)
    """
    if not sent or sent == unit or not unit:
        return value
    if (sent, unit) in ALSO:
        return value * ALSO[sent, unit]
    found = UNITS.get(sent)
    if found is None or found[0] != unit:
        known = sorted({word for word, (of, *_) in UNITS.items() if of == unit} | {unit})
        raise ValueError(f"unit '{sent[:20]}' is not one of {', '.join(known)}")
    return value * found[1] + found[2]
