"""``python -m tests.crash [kills=200] [seed=1]``: counted crash runs against a real Mosquitto."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.crash.kills import campaign, listen
from tests.sense.mosquitto import PROGRAM, free_port, mosquitto


def main(words: list[str]) -> int:
    """0 if nothing was lost and nothing doubled."""
    settings = dict(word.split("=", 1) for word in words)
    kills, seed = int(settings.get("kills", 200)), int(settings.get("seed", 1))
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
