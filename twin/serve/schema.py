"""What goes over the wire: requests that refuse what they do not know, and documented answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from twin.commands.proposals import KINDS
from twin.knowledge import Difference, Fact
from twin.settings import options


def _kind(word: str) -> str:
    if word not in KINDS:
        raise ValueError(f"'{word[:40]}' is unknown. {options(word, KINDS)}")
    return word


#: One line of printable text.
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000,
                                        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f]"
                                                r"[^\x00-\x1f\x7f]*$")]
#: A name of something in the workspace; several scenarios at once are joined by +.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$")]
#: A kind of proposal.
Kind = Annotated[str, AfterValidator(_kind)]
#: A filter of MQTT topics.
TOPIC = r"^(([A-Za-z0-9_.~=:@-]+|\+)/){0,12}([A-Za-z0-9_.~=:@-]+|\+|#)$"
#: A duration such as 180d.
Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4} ?(h|d|w)$")]


class Request(BaseModel):
    """A body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Acknowledgement(Request):
    """Somebody has looked at an alert."""

    comment: Line = Field(examples=["Door left open; closed."])


class Rejection(Request):
    """Why something will not be done."""

    reason: Line = Field(examples=["The supplier is on strike until Friday."])


class RunRequest(Request):
    """What-ifs to play on the model."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{
        "scenarios": ["demand_spike"], "horizon": "90d", "replications": 10}]})

    scenarios: list[Name] = Field([], max_length=20, description="the usual ones if blank")
    calibration: Name = "nominal"
    horizon: Duration = "365d"
    replications: int = Field(30, ge=2, le=1000)
    seed: int = Field(1, ge=0, le=2**53)
    uncertainty: bool = Field(False, description="carry what the calibration does not know")
    start: Literal["opening", "now"] = Field(
        "opening", description="from the opening stock of the tables, or from what is known now")


class RecommendRequest(Request):
    """What to look for advice on."""

    calibration: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,100}$")] = Field(
        "", description="the newest learned, else nominal, if blank")
    kinds: list[Kind] = Field([], max_length=len(KINDS), description="of plans; all if blank")
    seed: int = Field(1, ge=0, le=2**53)
    limit_s: float = Field(10.0, ge=0.1, le=600.0, description="seconds for a schedule or routes")
    budget: int = Field(40, ge=1, le=10_000, description="replications of the search")


class _TokenRequest(Request):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_ .,@'+-]{0,99}$")] = \
        Field(examples=["Ann"])
    days: float = Field(90.0, gt=0.0, le=3660.0, description="until it expires")


class OwnToken(_TokenRequest):
    """A token for one of our own people."""

    role: Literal["viewer", "planner", "approver", "admin", "fleet"]


class PartnerToken(_TokenRequest):
    """A token for a partner, who belongs to a site."""

    role: Literal["supplier", "customer"]
    site: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]


TokenRequest = Annotated[OwnToken | PartnerToken, Field(discriminator="role")]


class DeviceRequest(Request):
    """A device that may speak."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@~=-]{1,64}$")] = Field(
        examples=["t1"])
    topics: list[Annotated[str, StringConstraints(max_length=200,
                                                  pattern=TOPIC)]] = Field(
        [], max_length=50, description="its own if blank", examples=[["twin/acme/W/#"]])
    role: Literal["device", "listener"] = "device"


class ForgetRequest(Request):
    """Whose name is erased."""

    name: Line = Field(examples=["Ann"])


class Event(Request):
    """A CloudEvent 1.0 of another system about a message that was pushed to it."""

    class Data(Request):
        """Which message, and what became of it."""

        key: Line = Field(examples=["harbour/R-1/1"])
        quantity: float | None = Field(None, ge=0.0, allow_inf_nan=False)
        note: str = Field("", max_length=1000)

    specversion: Literal["1.0"]
    id: Line
    source: Line
    type: Literal["twin.confirmed", "twin.executed", "twin.refused"]
    data: Data
    time: str = Field("", max_length=40)
    datacontenttype: Literal["application/json"] = "application/json"


# -- answers -------------------------------------------------------------------------------------


class Whoami(BaseModel):
    """Who the token stands for."""

    name: str
    role: str
    site: str
    expires: str
    model: str


class Models(BaseModel):
    """What there is in the workspace: titles by name."""

    models: dict[str, str]
    calibration: dict[str, str]


class ScenarioRow(BaseModel):
    """A what-if."""

    name: str
    means: str
    needs: list[str]


class Checked(BaseModel):
    """Whether the model is sound."""

    model: str
    holds: str
    plays: list[str]
    lacks: dict[str, list[str]]
    problems: list[str]


class Known(BaseModel):
    """What is known at a moment."""

    model: str
    at: str
    digest: str
    readings: int
    facts: list[FactRow]
    differences: list[Difference]


class FactRow(BaseModel):
    """One thing that is known; see `twin.knowledge.Fact`."""

    kind: str
    subject: str
    attribute: str
    value: float | str | None
    unit: str
    time: float | None
    age_h: float | None
    quality: str
    source: str
    readings: int


class AlertRow(BaseModel):
    """Something that somebody should look at."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    subject: str
    severity: str
    state: str
    since: str | None
    meaning: str
    acknowledged_by: str
    comment: str


class Advice(BaseModel):
    """A recommendation as it stands in the inbox."""

    name: str = Field(examples=["R-17"])
    status: str
    kind: str
    title: str
    verdict: str
    made: str
    expires: str
    effects: list[dict[str, Any]]


class Case(BaseModel):
    """A recommendation with everything that has become of it."""

    name: str
    status: str
    title: str
    made: str
    expires: str
    rung: str
    why: str
    recommendation: dict[str, Any]
    decisions: list[dict[str, Any]]
    messages: list[dict[str, Any]]


class Outcomes(BaseModel):
    """Promises and what became of them, one by one and by month and kind."""

    outcomes: list[dict[str, Any]]
    months: list[dict[str, Any]]
    rungs: dict[str, dict[str, str]]


class JobRow(BaseModel):
    """A job as it stands."""

    id: str
    kind: str
    by: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    made: str
    ended: str | None
    what: str = Field(description="what is being done")
    done: int
    total: int
    error: str
    result: Any = Field(None, description="of a job that is done")


class Verified(BaseModel):
    """Whether the log is whole."""

    whole: bool
    faults: list[str]
    head: str


class TokenRow(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    role: str
    site: str
    state: Literal["active", "expired", "revoked"]
    made: str
    expires: str
    last_used: str | None


class Secret(BaseModel):
    """A secret that is shown once."""

    secret: str


class DeviceRow(BaseModel):
    """A device of the register."""

    device: str
    role: str
    topics: list[str]
    state: Literal["active", "revoked"]
    last_seen: str | None
    battery: float | None


class Forgotten(BaseModel):
    """Whether a person was known to the log, and how many tokens and alerts bore the name."""

    known: bool
    tokens: int
    alerts: int


class RetainedRow(BaseModel):
    """What a deletion did."""

    readings: int
    files: int
    before: str


class Heard(BaseModel):
    """What an event said."""

    said: str


Known.model_rebuild()
assert set(FactRow.model_fields) == set(Fact.__dataclass_fields__)
