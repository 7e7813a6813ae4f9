"""EPCIS 2.0 documents and events as the standard has them (GS1 EPCIS 2.0, JSON-LD binding).

Keys of the standard are checked; any other key must be an extension, that is, namespaced
(``example:myField``). Inside an extension anything goes. What the standard says about which fields
go together stands in the `_whole` check of each event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from twin.clock import excerpt
from twin.sense.epcis_words import (
    ACTIONS,
    ALARM,
    BIZ_STEP,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    PARTY,
    TRANSACTION,
    Vocabulary,
    is_uri,
    measurement,
    words,
)

_EPC_SCHEMES = words("""
    sgtin sscc sgln grai giai gsrn gsrnp gdti cpi sgcn ginc gsin itip upui pgln gid usdod adi bic
    imovn lgtin""")


def _uri(text: str) -> str:
    if not is_uri(text):
        raise ValueError(f"'{excerpt(text)}' is not a URI. Write an EPC URN, a GS1 Digital Link "
                         "or a URI of your own")
    if text.startswith("urn:epc:"):
        parts = text.split(":", 4)
        if len(parts) < 5 or parts[2] not in ("id", "class", "idpat") \
                or parts[3] not in _EPC_SCHEMES:
            raise ValueError(f"'{excerpt(text)}' is not an EPC of a known scheme. Write such as "
                             "urn:epc:id:sgtin:0614141.107346.2017")
    return text


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text:
        raise ValueError(f"'{excerpt(text)}' is not a date and time with a zone. Write it such as "
                         "2026-03-01T06:00:00+01:00")
    return text


def _action(text: str) -> str:
    if text not in ACTIONS:
        raise ValueError(f"'{excerpt(text)}' is no action. Write ADD, OBSERVE or DELETE")
    return text


def _extension(key: str) -> str:
    prefix, _, name = key.partition(":")
    if not prefix or not name or any(mark.isspace() for mark in key):
        raise ValueError("is neither a field of EPCIS 2.0 nor an extension. Write an extension "
                         f"with its namespace, such as example:{excerpt(key)}")
    return key


def _word(vocabulary: Vocabulary) -> Any:
    return Annotated[str, AfterValidator(vocabulary.read)]


Uri = Annotated[str, AfterValidator(_uri)]
Instant = Annotated[str, AfterValidator(_instant)]
Action = Annotated[str, AfterValidator(_action)]
Offset = Annotated[str, Field(pattern=r"^[+-](0\d|1[0-3]):[0-5]\d$|^[+-]14:00$")]
UnitCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Context = str | Annotated[list[str | dict[str, Any]], Field(min_length=1)]
_Key = Annotated[str, AfterValidator(_extension)]
Extensions = dict[_Key, Any]


class Part(BaseModel):
    """Anything of a document: fields of the standard, and namespaced extensions."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: Extensions


class Place(Part):
    """A read point or business location."""

    id: Uri


class Quantity(Part):
    """So much of a class of things."""

    epcClass: Uri
    quantity: Number | None = None
    uom: UnitCode | None = None


class Transaction(Part):
    """A business document that the event belongs to."""

    bizTransaction: Uri
    type: _word(TRANSACTION) | None = None  # type: ignore[valid-type]


class Origin(Part):
    """Where a transfer begins."""

    type: _word(PARTY)  # type: ignore[valid-type]
    source: Uri


class Destination(Part):
    """Where a transfer ends."""

    type: _word(PARTY)  # type: ignore[valid-type]
    destination: Uri


class Device(Part):
    """How something was measured."""

    time: Instant | None = None
    startTime: Instant | None = None
    endTime: Instant | None = None
    deviceID: Uri | None = None
    deviceMetadata: Uri | None = None
    rawData: Uri | None = None
    dataProcessingMethod: Uri | None = None
    bizRules: Uri | None = None


class Report(Device):
    """One measured property."""

    type: Annotated[str, AfterValidator(measurement)] | None = None
    exception: Annotated[str, AfterValidator(lambda text: ALARM.read(
        text.removeprefix("gs1:")))] | None = None
    microorganism: Uri | None = None
    chemicalSubstance: Uri | None = None
    coordinateReferenceSystem: Uri | None = None
    value: Number | None = None
    component: _word(COMPONENT) | None = None  # type: ignore[valid-type]
    stringValue: str | None = None
    booleanValue: bool | None = None
    hexBinaryValue: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2})*$")] | None = None
    uriValue: Uri | None = None
    minValue: Number | None = None
    maxValue: Number | None = None
    meanValue: Number | None = None
    percRank: Number | None = None
    percValue: Number | None = None
    sDev: Number | None = None
    uom: UnitCode | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type is None and self.exception is None:
            raise ValueError("has neither type nor exception. Say what was measured")
        return self


class SensorElement(Part):
    """What a sensor measured at one time or over one interval."""

    sensorMetadata: Device | None = None
    sensorReport: Annotated[list[Report], Field(min_length=1)]


class ErrorDeclaration(Part):
    """That an earlier event is wrong."""

    declarationTime: Instant
    reason: _word(ERROR_REASON) | None = None  # type: ignore[valid-type]
    correctiveEventIDs: list[Uri] | None = None


class PersistentDisposition(Part):
    """States that stay with the objects until they are unset."""

    set: list[_word(DISPOSITION)] | None = None  # type: ignore[valid-type]
    unset: list[_word(DISPOSITION)] | None = None  # type: ignore[valid-type]


class Ilmd(Part):
    """Master data of an instance or lot: extensions only."""


class Event(Part):
    """What every event has."""

    context: Context | None = Field(default=None, alias="@context")
    type: str
    eventTime: Instant
    eventTimeZoneOffset: Offset
    recordTime: Instant | None = None
    eventID: Uri | None = None
    errorDeclaration: ErrorDeclaration | None = None
    certificationInfo: Uri | list[Uri] | None = None
    bizStep: _word(BIZ_STEP) | None = None  # type: ignore[valid-type]
    disposition: _word(DISPOSITION) | None = None  # type: ignore[valid-type]
    persistentDisposition: PersistentDisposition | None = None
    readPoint: Place | None = None
    bizLocation: Place | None = None
    bizTransactionList: list[Transaction] | None = None
    sourceList: list[Origin] | None = None
    destinationList: list[Destination] | None = None
    sensorElementList: list[SensorElement] | None = None

    def _any(self, *names: str) -> bool:
        return any(getattr(self, name) for name in names)


class ObjectEvent(Event):
    """Something happened to objects."""

    type: Literal["ObjectEvent"]
    action: Action
    epcList: list[Uri] | None = None
    quantityList: list[Quantity] | None = None
    ilmd: Ilmd | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self._any("epcList", "quantityList", "sensorElementList"):
            raise ValueError("names no object. Fill epcList, quantityList or sensorElementList")
        if self.ilmd is not None and self.action != "ADD":
            raise ValueError("has ilmd, which goes with action ADD alone")
        return self


class AggregationEvent(Event):
    """Objects were put into, or taken from, a container."""

    type: Literal["AggregationEvent"]
    action: Action
    parentID: Uri | None = None
    childEPCs: list[Uri] | None = None
    childQuantityList: list[Quantity] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.action != "OBSERVE" and not self.parentID:
            raise ValueError(f"has no parentID, which {self.action} needs")
        if self.action != "DELETE" and not self._any("childEPCs", "childQuantityList",
                                                     "sensorElementList"):
            raise ValueError("names no child. Fill childEPCs or childQuantityList")
        return self


class AssociationEvent(AggregationEvent):
    """Objects were fitted to, or taken from, an asset."""

    type: Literal["AssociationEvent"]  # type: ignore[assignment]
    parentID: Uri


class TransactionEvent(Event):
    """Objects became part of a business transaction."""

    type: Literal["TransactionEvent"]
    action: Action
    bizTransactionList: Annotated[list[Transaction], Field(min_length=1)]
    parentID: Uri | None = None
    epcList: list[Uri] | None = None
    quantityList: list[Quantity] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.action != "DELETE" and not self._any("epcList", "quantityList", "parentID",
                                                     "sensorElementList"):
            raise ValueError("names no object. Fill epcList or quantityList")
        return self


class TransformationEvent(Event):
    """Objects were used up, and others came of them."""

    type: Literal["TransformationEvent"]
    transformationID: Uri | None = None
    inputEPCList: list[Uri] | None = None
    inputQuantityList: list[Quantity] | None = None
    outputEPCList: list[Uri] | None = None
    outputQuantityList: list[Quantity] | None = None
    ilmd: Ilmd | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        into = self._any("inputEPCList", "inputQuantityList")
        out = self._any("outputEPCList", "outputQuantityList")
        if not (into and out) and not (self.transformationID and (into or out)):
            raise ValueError("has no inputs or no outputs. Fill both, or name the "
                             "transformationID that they share")
        return self


class ExtendedEvent(Event):
    """An event type of somebody's own; its type is namespaced."""

    type: Uri


def _type_of(event: Any) -> str | None:
    word = event.get("type") if isinstance(event, dict) else getattr(event, "type", None)
    return "extension" if isinstance(word, str) and is_uri(word) else word


AnyEvent = Annotated[
    Annotated[ObjectEvent, Tag("ObjectEvent")]
    | Annotated[AggregationEvent, Tag("AggregationEvent")]
    | Annotated[AssociationEvent, Tag("AssociationEvent")]
    | Annotated[TransactionEvent, Tag("TransactionEvent")]
    | Annotated[TransformationEvent, Tag("TransformationEvent")]
    | Annotated[ExtendedEvent, Tag("extension")],
    Discriminator(_type_of, custom_error_type="event_type",
                  custom_error_message="type is none of the five event types of EPCIS 2.0. Write "
                  "ObjectEvent, AggregationEvent, AssociationEvent, TransactionEvent or "
                  "TransformationEvent, or a namespaced type of your own"),
]
