"""``twin audit verify`` and ``export``: whether the log is whole, and the log for an auditor."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from twin.commands import Unanswered
from twin.commands.verbs import Call
from twin.operate.audit import Head
from twin.operate.desk import Desk
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, read, text

_ACTIONS = ("verify", "export")
KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("head", "of the log as it was published, number:seal; verify holds the log against it", "",
        text),
)}

ABOUT = {"audit": """\
twin audit verify | export [key=value ...]

The log holds every source heard, calibration, recommendation, decision, push and outcome, each row
sealed to the one before with a key that is not in the store. verify finds a row that was changed
or left out, a tail that was cut off, and a log written anew; it exits 1 if there is any. export
writes log.csv and head.json into outputs/<model>-audit/.

  twin audit verify models=harbour
  twin audit verify models=harbour head=12:5f0c...              as a receiver has kept it
  twin audit export models=harbour

""" + describe(KEYS)}


def audit_command(call: Call) -> int:
    """Verify or export."""
    actions = [argument for argument in call.arguments if "=" not in argument]
    asked = read([argument for argument in call.arguments if "=" in argument], KEYS, "audit")
    if len(actions) != 1 or actions[0] not in _ACTIONS:
        said = actions[0] if actions else ""
        raise SettingError(f"twin audit cannot '{said[:40]}'. {options(said, _ACTIONS)}")
    with Desk.open(call.workspace, asked["models"]) as desk:
        if actions[0] == "export":
            return _export(call, desk)
        published = [Head.parse(asked["head"])] if asked["head"] else []
        faults, head = desk.verify(published), desk.head()
    if call.screen.as_json:
        call.screen.print_json({"whole": not faults, "faults": faults, "head": str(head)})
        return 1 if faults else 0
    for fault in faults[:40]:
        call.screen.say(fault[:1].upper() + fault[1:])
    if faults:
        raise Unanswered(f"The log of {desk.model} is not whole: {len(faults)} faults.")
    call.screen.say(f"The log is whole: {head.number} rows. Its head is {head}.")
    return 0


def _export(call: Call, desk: Desk) -> int:
    folder: Path = call.output / f"{desk.model}-audit"
    folder.mkdir(parents=True, exist_ok=True)
    rows = desk.log()
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("number", "at", "kind", "subject", "person", "pseudonym", "body", "mac"))
        writer.writerows((row["number"], row["at"], row["kind"], row["subject"], row["person"],
                          row["pseudonym"], json.dumps(row["body"], sort_keys=True), row["mac"])
                         for row in rows)
    (folder / "head.json").write_text(json.dumps({"model": desk.model, "head": str(desk.head())})
                                      + "\n", encoding="utf-8")
    if call.screen.as_json:
        call.screen.print_json({"folder": folder.as_posix(), "rows": rows,
                                "head": str(desk.head())})
    else:
        call.screen.say(f"In {folder.as_posix()}: log.csv ({len(rows)} rows), head.json.")
    return 0
