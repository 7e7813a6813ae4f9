"""Managing: tokens, devices, names that are erased, telemetry that is deleted."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Path

from twin.operate.erasure import erase
from twin.operate.retention import retain as drop_telemetry
from twin.operate.roles import Role
from twin.operate.tokens import Token
from twin.readings import format_instant
from twin.sense.register import Register
from twin.serve import schema
from twin.serve.guard import Calling, router
from twin.serve.house import House
from twin.serve.problem import Problem

routes = router("manage")
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["0a1b2c3d4e5f"])]
DeviceName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.@~=-]{1,64}$", examples=["t1"])]


def told(token: Token, now: float) -> dict[str, Any]:
    """A token without its secret."""
    return {"id": token.id, "name": token.name, "role": token.role.value, "site": token.site,
            "state": "revoked" if token.revoked is not None else
            "active" if token.stands(now) else "expired",
            "made": format_instant(token.made), "expires": format_instant(token.expires),
            "last_used": format_instant(token.last_used) if token.last_used is not None else None}


@routes.get("/tokens", response_model=list[schema.TokenRow])
def tokens(caller: Calling) -> Any:
    """Every token, without secrets."""
    now = time.time()
    return [told(one, now) for one in caller.house.tokens.list()]


@routes.post("/tokens", status_code=201, response_model=schema.Secret)
def add_token(caller: Calling, body: schema.TokenRequest) -> Any:
    """Make a token. It is shown this once; only its hash is kept."""
    house = caller.house
    site = body.site if isinstance(body, schema.PartnerToken) else ""
    if site and site not in house.network.sites:
        raise Problem(404, f"there is no site '{site}' in {house.model}.")
    return {"secret": house.tokens.add(body.name, Role(body.role), site=site, days=body.days,
                                       by=caller.name)}


@routes.delete("/tokens/{name}", response_model=list[schema.TokenRow])
def revoke_token(caller: Calling, name: TokenId) -> Any:
    """Let a token in no more."""
    caller.house.tokens.revoke(name, caller.name)
    return [told(one, time.time()) for one in caller.house.tokens.list() if one.id == name]


@routes.get("/devices", response_model=list[schema.DeviceRow])
def devices(caller: Calling) -> Any:
    """The register of devices; names of vehicles among them have pseudonyms."""
    house = caller.house
    return [{"device": house.masks.text(one.device), "role": one.role,
             "topics": [house.masks.text(topic) for topic in one.topics],
             "state": "revoked" if one.revoked is not None else "active",
             "last_seen": format_instant(one.last_seen) if one.last_seen is not None else None,
             "battery": one.battery} for one in _register(house).devices()]


@routes.post("/devices", status_code=201, response_model=schema.Secret)
def add_device(caller: Calling, body: schema.DeviceRequest) -> Any:
    """Let a device speak. Its secret is shown this once."""
    register = _register(caller.house)
    if any(one.device == body.name and one.revoked is None for one in register.devices()):
        raise Problem(409, f"device '{body.name}' is in the register. Revoke it first to give it a "
                           "new secret.")
    secret = register.add(body.name, body.topics, role=body.role)
    register.write_broker_files(caller.house.store.folder / "broker")
    return {"secret": secret}


@routes.delete("/devices/{name}", status_code=204)
def revoke_device(caller: Calling, name: DeviceName) -> None:
    """Let a device speak no more."""
    register = _register(caller.house)
    if name not in {one.device for one in register.devices()}:
        raise Problem(404, f"there is no device '{name}'.")
    register.revoke(name)
    register.write_broker_files(caller.house.store.folder / "broker")


@routes.post("/people/forget", response_model=schema.Forgotten)
def forget(caller: Calling, body: schema.ForgetRequest) -> Any:
    """Erase a name from every row of the log by dropping its key; their tokens fall with it."""
    house = caller.house
    done = erase(house.desk.engine, house.desk.key, house.store.folder, body.name, caller.name)
    return {"known": done.known, "tokens": done.tokens, "alerts": done.alerts}


@routes.post("/retain", response_model=schema.RetainedRow)
def retain(caller: Calling) -> Any:
    """Delete telemetry that is older than governance/<model>.yaml lets it become."""
    house = caller.house
    keep = house.agreement.keep
    if not keep.times():
        raise Problem(409, f"governance/{house.model}.yaml sets no time. Write keep: {{telemetry: "
                           "400d}.")
    done = drop_telemetry(house.store, keep, time.time(), house.desk.engine, house.desk.key,
                          house.model, caller.name)
    return {"readings": done.readings, "files": done.files, "before": done.before.isoformat()}


def _register(house: House) -> Register:
    return Register(house.store.folder / "devices.db")
