"""``twin trace``: where a lot came from, what touched it, how warm it was, and where it went."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.commands import Unanswered
from twin.commands.verbs import Call
from twin.kinds import KINDS
from twin.ledger import Ledger
from twin.measure.genealogy import Genealogy
from twin.measure.lot_report import lot_page
from twin.measure.lot_trace import lines_of, trace_of
from twin.network import Network
from twin.readings import Reading, from_frame, reference_number
from twin.sense.epcis import check_epcis
from twin.sense.epcis_export import to_epcis
from twin.sense.history import ledger_of, once
from twin.sense.lot_climate import climate_of
from twin.sense.storage_area import area_of
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, read, text

if TYPE_CHECKING:
    import pandas as pd

KEYS = {key.name: key for key in (
    Key("lot", "which lot, by its name or number", "", text),
    RUN_KEYS["models"],
    Key("ledger", "a ledger file such as outputs/latest/ledger.parquet, or store: what was heard",
        "store", text),
    Key("scenario", "whose events, in a ledger file of several", "baseline", text),
)}

ABOUT = {"trace": """\
twin trace lot=NAME [key=value ...]

Where did a lot go, what touched it, how warm was it? Follows a lot back to what it was made of and
forward to every customer who has some of it, on a real or a simulated ledger alike, and adds up
every unit. What goes into a batch is taken as spread evenly over the batch. Writes trace.json,
trace.html (the trees and tables as a page) and epcis.jsonld (the events of all lots concerned, as
EPCIS 2.0) into outputs/<model>-trace-<lot>/.

  twin trace lot=L7 models=harbour
  twin trace lot=47 models=harbour ledger=outputs/latest/ledger.parquet
  twin trace lot=47 models=harbour ledger=outputs/latest/ledger.parquet scenario=port_closure --json

""" + describe(KEYS)}

_REFERENCES = ("lot", "parent", "order", "shipment")
_TEXTS = ("site", "to_site", "product", "asset", "cause", "role", "source")
_PLACES = ("truck", "gate", "lot")


@dataclass
class Record:
    """Where lots are looked up: a ledger, its names, and the readings behind it, if any."""

    events: pd.DataFrame
    source: str
    names: dict[int, str] = field(default_factory=dict)
    readings: pd.DataFrame | None = None

    def number(self, lot: str) -> int:
        """The number of a lot in the ledger."""
        if self.readings is None and re.fullmatch(r"[Ll]\d+", lot):
            return int(lot[1:])
        return reference_number(lot)


def trace_command(call: Call) -> int:
    """Follow a lot, show it, write it down."""
    settings = read(call.arguments, KEYS, "trace")
    if not settings["lot"]:
        raise SettingError("which lot? Write lot=NAME.")
    network = call.workspace.network(settings["models"])
    with call.screen.working("Following the lot"):
        record = _record(settings, call, network)
        family = Genealogy(record.events)
        lot = record.number(settings["lot"])
        if lot not in set(family.lots):
            raise SettingError(f"lot '{settings['lot'][:60]}' is not in {record.source}. "
                               f"{_examples(family, record)}")
        lots = list(dict.fromkeys([*family.line(lot), *family.line(lot, back=True)]))
        climates = _climates(record, network, family, lots)
        try:
            said = trace_of(family, lot, network.start, names=record.names, climates=climates)
        except ValueError as error:
            raise SettingError(str(error)) from None
        document = epcis_of(record, network, set(lots))
    said["source"] = record.source
    folder = _write(said, document, call.output, settings["models"])
    if call.screen.as_json:
        call.screen.print_json({**said, "files": str(folder)})
        return 0
    for line in lines_of(said):
        call.screen.say(line)
    call.screen.note(f"{folder}: trace.html, trace.json, epcis.jsonld "
                     f"({len(document['epcisBody']['eventList']):,} events).")
    return 0


# ---- where lots are looked up ----


def _record(settings: dict[str, Any], call: Call, network: Network) -> Record:
    asked = settings["ledger"]
    if asked == "store":
        store = call.workspace.store(settings["models"])
        frame = once(store.frame())
        if frame.empty:
            raise Unanswered(f"nothing was heard about {settings['models']} yet. Listen first "
                             "(twin listen), or give a ledger: "
                             "ledger=outputs/latest/ledger.parquet.")
        names = {reference_number(name): str(name) for column in _REFERENCES
                 for name in frame[column].unique() if name}
        return Record(ledger_of(frame, network.start).frame(), f"store/{settings['models']}", names,
                      frame)
    path = Path(asked).expanduser()
    try:
        ledger = Ledger.read(path)
    except ValueError as first:
        try:
            ledger = Ledger.read(path, settings["scenario"])
        except ValueError:
            raise SettingError(str(first)) from None
    return Record(ledger.frame(), path.as_posix())


def _examples(family: Genealogy, record: Record) -> str:
    some = [record.names.get(lot, str(lot)) for lot in family.lots[:8]]
    return f"It has {', '.join(some)} ..." if some else "It has no lots."


# ---- how warm it was ----


def _climates(record: Record, network: Network, family: Genealogy,
              lots: list[int]) -> dict[str, dict[str, Any]]:
    """What lots that a temperature can harm went through, measured or by the tables."""
    cold = {lot: account for lot, account in family.accounts(lots).items()
            if (known := network.products.get(account.product)) is not None
            and (known.min_c is not None or known.max_c is not None)}
    if not cold:
        return {}
    if record.readings is not None:
        wanted = {record.names.get(lot, str(lot)) for lot in cold}
        frame = record.readings
        # A reader at a gate says that a lot was seen, not how much of it: goods rows tell that.
        rows = frame[(frame["kind"] == "temperature")
                     | (frame["lot"].isin(wanted) & (frame["kind"] != "sighting"))
                     | (frame["kind"].isin(("departing", "arriving", "shipping"))
                        & (frame["lot"] == ""))]
        begin = frame.loc[frame["lot"].isin(wanted), "time"].min()
        rows = rows[rows["time"] >= begin].sort_values("time", kind="stable")
        felt = climate_of(from_frame(rows), network, wanted)
        return {lot: asdict(one) for lot, one in felt.items()}
    said = {}
    for lot, account in cold.items():
        kept = []
        for site in dict.fromkeys([account.place, *(move.destination for move in account.moves)]):
            area = area_of(network, site, account.product) if site in network.sites else ""
            if area:
                row = network.storage[site, area]
                kept.append(f"{site}:{area} (holds {_celsius(row.min_c)} to "
                            f"{_celsius(row.max_c)} C)")
        if lot != lots[0] and not account.losses:
            continue
        spoiled = sum(loss.quantity for loss in account.losses if loss.cause == "excursion")
        said[str(lot)] = {"readings": 0, "said": (
            "a simulated ledger has no thermometers; it lay in " + ", ".join(kept or ["no area"])
            + f"; {spoiled:g} units were thrown away after an excursion")}
    return said


def _celsius(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


# ---- what is written ----


def epcis_of(record: Record, network: Network, lots: set[int]) -> dict[str, Any]:
    """The events of lots as an EPCIS 2.0 document, checked against the standard's schema."""
    if record.readings is not None:
        names = {record.names.get(lot, str(lot)) for lot in lots}
        frame = record.readings
        events = frame["kind"].isin([word for word, kind in KINDS.items() if not kind.signal])
        rows = from_frame(frame[events & (frame["lot"].isin(names)
                                          | ((frame["kind"] == "consuming")
                                             & frame["parent"].isin(names)))])
    else:
        rows = _readings(record.events, network, lots)
    created = max((row.time for row in rows), default=network.start.timestamp())
    document = to_epcis((row for row in rows if row.role not in _PLACES), created=created)
    check_epcis(document)
    return document


def _readings(events: pd.DataFrame, network: Network, lots: set[int]) -> list[Reading]:
    """Rows of a ledger as the readings that systems would have sent."""
    about = events[(events["lot"].isin(lots) | ((events["event"] == "consuming")
                                                & events["parent"].isin(lots)))
                   & events["event"].isin(list(KINDS))]
    found = []
    for row in about.to_dict("records"):
        texts: dict[str, Any] = {name: str(row[name]) if row[name] else "" for name in _REFERENCES}
        same: dict[str, Any] = {name: str(row[name]) for name in _TEXTS}
        at = (network.start + timedelta(hours=row["time"])).timestamp()
        found.append(Reading(sensor="ledger", id=f"e{row['id']}", time=round(at, 3),
                             kind=row["event"], quantity=row["quantity"], **texts, **same))
    return found


def _write(said: dict[str, Any], document: dict[str, Any], output: Path, model: str) -> Path:
    lot = re.sub(r"[^\w.-]", "_", said["lot"])[:60]
    folder = output / f"{model}-trace-{lot}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trace.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n",
                                       encoding="utf-8")
    (folder / "trace.html").write_text(lot_page(said, f"Read from {said['source']}."),
                                       encoding="utf-8")
    (folder / "epcis.jsonld").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n",
                                         encoding="utf-8")
    return folder
