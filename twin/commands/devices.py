"""``twin devices``: who may speak, and files with which a broker enforces it."""

from __future__ import annotations

import getpass
from typing import Any

from twin.commands.logged import tell_first
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.readings import format_instant
from twin.sense.register import Register
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, read, text, word

KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("topics", "topic filters of added devices, several joined by a blank; blank is each "
        "device's own", "", text),
    Key("role", "device publishes, listener reads", "device", word("device", "listener")),
)}
_ACTIONS = ("list", "add", "revoke")

ABOUT = {"devices": """\
twin devices [list | add NAME ... | revoke NAME ...] [key=value ...] [--by NAME]

The register of devices that may speak. Each has a secret that is shown once, when it is added; only
its salted hash is kept. As soon as there is one device, twin listen refuses all others. A device
publishes to topics that end in its name; a gateway is a device with topics=twin/acme/W/#. Who adds
and revokes is in the log, see twin audit.

  twin devices models=harbour                              who there is, and when last heard
  twin devices add t1 t2 models=harbour
  twin devices add gate "topics=twin/acme/north/#"
  twin devices add hall role=listener                      an account for twin listen
  twin devices revoke t1 models=harbour

Each change also writes store/<model>/broker/passwords and acl, which Mosquitto reads:

  allow_anonymous false
  password_file store/harbour/broker/passwords
  acl_file store/harbour/broker/acl

The keys:

""" + describe(KEYS)}


def devices_command(call: Call) -> int:
    """List, add or revoke devices."""
    by = next((word.partition("=")[2] for word in call.arguments if word.startswith("by=")), "")
    words = [word for word in call.arguments if "=" not in word]
    settings = read([word for word in call.arguments if "=" in word
                     and not word.startswith("by=")], KEYS, "devices")
    action, names = (words[0], words[1:]) if words else ("list", [])
    if action not in _ACTIONS:
        raise SettingError(f"twin devices cannot '{action[:60]}'. {options(action, _ACTIONS)}")
    if (action == "list") == bool(names):
        raise SettingError(f"twin devices {action} takes {'no name' if names else 'a NAME'}. See "
                           "twin devices --help.")
    store = call.workspace.store(settings["models"])
    register = Register(store.folder / "devices.db")
    if action == "list":
        return _list(register, settings["models"], call.screen)
    secrets = {}
    for name in names:
        tell_first(call, settings["models"], f"{action}_device", name, {
            "role": settings["role"], "topics": settings["topics"].split()}
            if action == "add" else None, by or getpass.getuser())
        if action == "add":
            secrets[name] = register.add(name, settings["topics"].split(), role=settings["role"])
        else:
            register.revoke(name)
    register.write_broker_files(store.folder / "broker")
    if call.screen.as_json:
        call.screen.print_json({action: secrets or names})
        return 0
    for name in names:
        call.screen.say(f"{name}  {secrets[name]}" if secrets else f"{name} is revoked.")
    if secrets:
        call.screen.note("These secrets are not kept and cannot be shown again.")
    call.screen.note(f"For a broker: store/{settings['models']}/broker/passwords and acl. Let it "
                     "read them again (Mosquitto: SIGHUP).")
    return 0


def _list(register: Register, model: str, screen: Screen) -> int:
    rows: list[dict[str, Any]] = [{
        "device": one.device, "role": one.role, "topics": list(one.topics),
        "state": "revoked" if one.revoked is not None else "active",
        "last_seen": format_instant(one.last_seen) if one.last_seen is not None else None,
        "battery": one.battery} for one in register.devices()]
    if screen.as_json:
        screen.print_json(rows)
        return 0
    if not rows:
        screen.say(f"The register of {model} is empty: any device may speak. Add the first: twin "
                   f"devices add NAME models={model}")
    width = max((len(row["device"]) for row in rows), default=0)
    for row in rows:
        battery = f", battery {row['battery']:.0f} %" if row["battery"] is not None else ""
        seen = f"last heard {row['last_seen'][:19]}Z" if row["last_seen"] else "never heard"
        screen.say(f"{row['device']:<{width}}  {row['state']:<8}{row['role']:<9} {seen}{battery}  "
                   f"{' '.join(row['topics'])}")
    return 0
