"""Counted crash runs: ``python -m tests.crash [kills=200] [pushes=500] [seed=1]``.

Listeners on a real Mosquitto are killed, then pushers between an ERP, a table, a folder and a
topic; on SQLite, and half of them on PostgreSQL where TWIN_TEST_POSTGRES names a server.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.crash import pushes
from tests.crash.kills import campaign, listen
from tests.sense.mosquitto import PROGRAM, free_port, mosquitto


def main(words: list[str]) -> int:
    """0 if nothing was lost and nothing doubled."""
    settings = {"kills": 200, "pushes": 500, "seed": 1}
    settings |= {name: int(value) for name, value in (word.split("=", 1) for word in words)}
    faults = listening(settings["kills"], settings["seed"]) if settings["kills"] else 0
    return faults | (pushing(settings["pushes"], settings["seed"]) if settings["pushes"] else 0)


def pushing(runs: int, seed: int) -> int:
    """Kill pushers; 1 if a book disagrees."""
    server = os.environ.get("TWIN_TEST_POSTGRES", "")
    stores = {"SQLite": runs - runs // 2, "PostgreSQL": runs // 2} if server else {"SQLite": runs}
    found = 0
    for store, share in stores.items():
        with tempfile.TemporaryDirectory() as folder:
            if store == "SQLite":
                outcome = pushes.campaign(Path(folder), share, seed)
            else:
                with pushes.database(server) as address:
                    outcome = pushes.campaign(Path(folder), share, seed, address)
        ends = ", ".join(f"{count} {how}" for how, count in outcome.ends.most_common())
        print(f"{store}: {outcome.runs} lives of a pusher in {outcome.seconds:.0f} s, "
              f"{outcome.killed} killed ({ends}); {outcome.decided} decisions, {outcome.undone} "
              f"undone, {outcome.messages} messages, the ERP was asked {outcome.seen} times: "
              + ("none lost, none twice, the log is whole" if not outcome.faults
                 else "; ".join(outcome.faults)), flush=True)
        found |= bool(outcome.faults)
    return int(found)


def listening(kills: int, seed: int) -> int:
    """Kill listeners; 1 if a reading was lost or counted twice."""
    with tempfile.TemporaryDirectory() as folder:
        address = os.environ.get("TWIN_TEST_MQTT", "")
        if address:
            outcome = campaign(Path(folder) / "store", address, kills, seed)
        elif PROGRAM:
            port = free_port()
            with mosquitto(Path(folder), port, "allow_anonymous true"):
                outcome = campaign(Path(folder) / "store", f"mqtt://127.0.0.1:{port}", kills, seed)
        else:
            print("Not run: it needs a real broker. Set TWIN_TEST_MQTT, or install Mosquitto.")
            return 1
    print(f"{outcome.kills} kills in {outcome.seconds:.0f} s, {outcome.published} readings and "
          f"{outcome.malformed} malformed messages, {outcome.merged} segments merged in between: "
          + ("nothing lost, nothing twice" if not outcome.faults else "; ".join(outcome.faults)))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(*sys.argv[2:6])
    else:
        sys.exit(main(sys.argv[1:]))
