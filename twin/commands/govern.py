"""``twin views``, ``twin retain``, ``twin forget``: what partners see, and what is deleted."""

from __future__ import annotations

import getpass
import time
from typing import Any

from twin.commands.state import moment, sensed
from twin.commands.verbs import Call
from twin.operate.agreement import ITEM_FIELDS, ORDER_FIELDS, Agreement, read_agreement
from twin.operate.desk import Desk
from twin.operate.erasure import erase
from twin.operate.retention import retain
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, read, text, word

MODEL = RUN_KEYS["models"]
VIEWS = {key.name: key for key in (
    MODEL, Key("supplier", "whose items", "", text), Key("customer", "whose orders", "", text))}
RETAIN = {key.name: key for key in (
    MODEL, Key("clock", "what now is: on the wall, or the last reading heard (store)", "wall",
               word("wall", "store")))}
FORGET = {MODEL.name: MODEL}

ABOUT = {
    "views": """\
twin views [supplier=SITE | customer=SITE] [key=value ...]

What a partner sees over the API: of a supplier the stock, consumption and forecast of its own
items, of a customer the promise and expected arrival of its own orders; only what is agreed, field
by field, in governance/<model>.yaml:

  suppliers:
    glassworks:
      fields: [stock, consumption, forecast]
  customers:
    market:
      fields: [promise, eta]

  twin views supplier=glassworks models=harbour
  twin views customer=market models=harbour --json

Fields of a supplier's items:
""" + "".join(f"  {name:<12} {meaning}\n" for name, meaning in ITEM_FIELDS.items()) + """
Fields of a customer's orders:
""" + "".join(f"  {name:<12} {meaning}\n" for name, meaning in ORDER_FIELDS.items()) + """
The keys:

""" + describe(VIEWS),
    "retain": """\
twin retain [key=value ...]

Deletes telemetry (positions, manoeuvres, temperatures and other signals) that is older than
governance/<model>.yaml says, with what was derived from it. Events of goods and machines stay: what
is on hand today follows from all of them. Where vehicles were (positions, speeds, odometers, fuel)
and how they were driven may have shorter times of their own. Run it once a day.

  keep:
    telemetry: 400d
    positions: 90d
    drivers: 30d

  twin retain models=harbour

The keys:

""" + describe(RETAIN),
    "forget": """\
twin forget NAME [key=value ...] [--by NAME]

Erases a person: the key to the name is dropped, so that no row of the log can be read to mean the
person any more, and the person's tokens are revoked. The log stays whole.

  twin forget "Ann Baker" models=harbour --by Root

The keys:

""" + describe(FORGET),
}


def _agreement(call: Call, model: str) -> Agreement:
    return read_agreement(call.workspace.home / "governance" / f"{model}.yaml",
                          call.workspace.network(model))


def views_command(call: Call) -> int:
    """Show what a partner sees."""
    from twin.serve.partners import customer_orders, supplier_items

    settings = read(call.arguments, VIEWS, "views")
    model, supplier, customer = (settings[name] for name in ("models", "supplier", "customer"))
    if bool(supplier) == bool(customer):
        raise SettingError("twin views shows one partner. Write supplier=SITE or customer=SITE.")
    agreement, network = _agreement(call, model), call.workspace.network(model)
    terms: Any = (agreement.suppliers if supplier else agreement.customers).get(
        supplier or customer)
    if terms is None:
        raise SettingError(f"nothing is agreed with '{(supplier or customer)[:60]}'. Write its "
                           f"fields into governance/{model}.yaml.")
    store = call.workspace.store(model)
    at = moment("now", store)
    if customer:
        rows = customer_orders(network, store, customer, terms.fields, at)
    else:
        rows = supplier_items(network, store, sensed(store, network, at)[0], supplier,
                              terms.fields)
    if call.screen.as_json:
        call.screen.print_json(rows)
        return 0
    if not rows:
        call.screen.say(f"There is nothing to see for {supplier or customer}.")
    for row in rows:
        call.screen.say("  ".join(f"{name} {_said(value)}" for name, value in row.items()))
    return 0


def _said(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, list):
        first, last = value[0], value[-1]
        return f"{first['day']} {_said(first['mean'])} ... {last['day']} {_said(last['mean'])}"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_said(part)}" for name, part in value.items()) + ")"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def retain_command(call: Call) -> int:
    """Delete telemetry that is older than agreed."""
    settings = read(call.arguments, RETAIN, "retain")
    model = settings["models"]
    keep = _agreement(call, model).keep
    if not keep.times():
        raise SettingError(f"governance/{model}.yaml sets no time. Write keep: {{telemetry: "
                           "400d}.")
    store = call.workspace.store(model)
    now = time.time() if settings["clock"] == "wall" else moment("now", store)
    with Desk.open(call.workspace, model) as desk:
        done = retain(store, keep, now, desk.engine, desk.key, model, getpass.getuser())
    if call.screen.as_json:
        call.screen.print_json({"readings": done.readings, "files": done.files,
                                "before": done.before.isoformat()})
    else:
        call.screen.say(f"Deleted {done.readings:,} readings from before {done.before}, and "
                        f"{done.files:,} files that were derived from them.")
    return 0


def forget_command(call: Call) -> int:
    """Erase a person's name."""
    by = next((word.partition("=")[2] for word in call.arguments if word.startswith("by=")), "")
    names = [word for word in call.arguments if "=" not in word]
    settings = read([word for word in call.arguments if "=" in word
                     and not word.startswith("by=")], FORGET, "forget")
    if len(names) != 1:
        raise SettingError("twin forget takes one NAME. See twin forget --help.")
    with Desk.open(call.workspace, settings["models"]) as desk:
        done = erase(desk.engine, desk.key, call.workspace.store(settings["models"]).folder,
                     names[0], by or getpass.getuser())
    if not (done.known or done.alerts):
        raise SettingError(f"nobody called '{names[0][:60]}' is known here.")
    call.screen.say(f"The name is erased; {done.tokens} tokens are revoked.")
    return 0
