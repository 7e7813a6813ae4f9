"""EPCIS 2.0 documents: what events come wrapped in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from twin.sense.epcis_models import AnyEvent, Context, Instant, Part, Uri


class EventList(Part):
    """Events, in the order in which they were written."""

    eventList: list[AnyEvent]


class QueryResults(Part):
    """What a query found."""

    queryName: str
    subscriptionID: str | None = None
    resultsBody: EventList


class QueryBody(Part):
    """The answer to a query."""

    queryResults: QueryResults


class Header(Part):
    """Master data that comes with a document."""

    epcisMasterData: dict[str, Any] | None = None


class _Envelope(Part):
    context: Context = Field(alias="@context")
    id: Uri | None = None
    schemaVersion: Annotated[str, Field(pattern=r"^2(\.\d+){0,3}$")]
    creationDate: Instant
    sender: Uri | None = None
    receiver: Uri | None = None
    instanceIdentifier: str | None = None
    epcisHeader: Header | None = None


class Document(_Envelope):
    """Events to be captured."""

    type: Literal["EPCISDocument"]
    epcisBody: EventList

    @property
    def events(self) -> list[Any]:
        """Its events."""
        return list(self.epcisBody.eventList)


class QueryDocument(_Envelope):
    """Events that a query returned."""

    type: Literal["EPCISQueryDocument"]
    epcisBody: QueryBody

    @property
    def events(self) -> list[Any]:
        """Its events."""
        return list(self.epcisBody.queryResults.resultsBody.eventList)


def _with_context(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    event = check(value)
    if event.context is None:
        raise ValueError("@context is missing. A single event names its own context")
    return event


SingleEvent = Annotated[AnyEvent, WrapValidator(_with_context)]
