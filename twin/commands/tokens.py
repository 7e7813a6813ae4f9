"""``twin tokens``: who may call the API, in which role, until when."""

from __future__ import annotations

import getpass
import time
from typing import Any

from twin.clock import parse_duration
from twin.commands.verbs import Call
from twin.operate.desk import Desk
from twin.operate.roles import RIGHTS, Role
from twin.operate.tokens import Tokens
from twin.readings import format_instant
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, read, text, word

_ACTIONS = ("list", "add", "revoke", "rights")
KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("role", ", ".join(Role), "viewer", word(*Role)),
    Key("site", "of a supplier or customer", "", text),
    Key("life", "until it expires", "90d", parse_duration),
)}

ABOUT = {"tokens": """\
twin tokens [list | add NAME | revoke ID ... | rights] [key=value ...] [--by NAME]

Tokens for twin serve. Each stands for a person (or a system) in one role until it expires. It is
shown once, when it is made; only its hash is kept. A supplier or customer belongs to a site and
sees what is agreed with it in governance/<model>.yaml.

  twin tokens add Ann role=approver models=harbour
  twin tokens add "Glassworks ERP" role=supplier site=glassworks life=365d models=harbour
  twin tokens models=harbour                               who there is, and when last used
  twin tokens revoke 0a1b2c3d4e5f models=harbour
  twin tokens rights                                       which role may call what

The keys:

""" + describe(KEYS)}


def tokens_command(call: Call) -> int:
    """List, make or revoke tokens."""
    by = next((word.partition("=")[2] for word in call.arguments if word.startswith("by=")), "")
    words = [word for word in call.arguments if "=" not in word]
    settings = read([word for word in call.arguments if "=" in word
                     and not word.startswith("by=")], KEYS, "tokens")
    action, names = (words[0], words[1:]) if words else ("list", [])
    if action not in _ACTIONS:
        raise SettingError(f"twin tokens cannot '{action[:60]}'. {options(action, _ACTIONS)}")
    if (action in ("list", "rights")) == bool(names) or (action == "add" and len(names) > 1):
        takes = {"add": "one NAME", "revoke": "an ID"}.get(action, "no name")
        raise SettingError(f"twin tokens {action} takes {takes}. See twin tokens --help.")
    if action == "rights":
        return _rights(call)
    site, model = settings["site"], settings["models"]
    if site and site not in call.workspace.network(model).sites:
        raise SettingError(f"site '{site[:60]}' is not in {model}.")
    with Desk.open(call.workspace, model) as desk:
        tokens = Tokens(desk.engine, desk.key)
        if action == "list":
            return _list(call, tokens)
        if action == "revoke":
            for name in names:
                tokens.revoke(name, by or getpass.getuser())
                call.screen.say(f"{name} is revoked.")
            return 0
        secret = tokens.add(names[0], Role(settings["role"]), site=site,
                            days=settings["life"] / 24.0, by=by or getpass.getuser())
    if call.screen.as_json:
        call.screen.print_json({"token": secret})
        return 0
    call.screen.say(secret)
    call.screen.note("This token is not kept and cannot be shown again.")
    return 0


def _list(call: Call, tokens: Tokens) -> int:
    now = time.time()
    rows: list[dict[str, Any]] = [{
        "id": one.id, "name": one.name, "role": one.role.value, "site": one.site,
        "state": "revoked" if one.revoked is not None else "active" if one.stands(now)
        else "expired", "expires": format_instant(one.expires),
        "last_used": format_instant(one.last_used) if one.last_used is not None else None}
        for one in tokens.list()]
    if call.screen.as_json:
        call.screen.print_json(rows)
        return 0
    if not rows:
        call.screen.say("There is no token yet. Make the first: twin tokens add NAME role=admin")
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        used = f"last used {row['last_used'][:16]}Z" if row["last_used"] else "never used"
        role = f"{row['role']} of {row['site']}" if row["site"] else row["role"]
        call.screen.say(f"{row['id']}  {row['name']:<{width}}  {row['state']:<8} {role:<10} until "
                        f"{row['expires'][:10]}, {used}")
    return 0


def _rights(call: Call) -> int:
    """The table of rights: a line an operation."""
    if call.screen.as_json:
        call.screen.print_json({name: sorted(roles) for name, roles in RIGHTS.items()})
        return 0
    width = max(map(len, RIGHTS))
    call.screen.say(f"{'':<{width}}  {'  '.join(Role)}")
    for name, roles in RIGHTS.items():
        call.screen.say(f"{name:<{width}}  " + "  ".join(
            f"{'yes' if role in roles else '-':<{len(role)}}" for role in Role).rstrip())
    return 0
