"""``twin serve`` as a process of its own: it says where it is, serves, and stops in good order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="needs the extra serve")

from tests.operate.served import write
from twin.operate.desk import Desk
from twin.operate.roles import Role
from twin.operate.tokens import Tokens

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_server_serves_and_stops_with_a_stream_open(tmp_path: Path) -> None:
    workspace = write(tmp_path)
    with Desk.open(workspace, "tea") as desk:
        token = Tokens(desk.engine, desk.key).add("Ann", Role.PLANNER)
    server = subprocess.Popen(
        [sys.executable, "-m", "twin", "serve", "models=tea", "port=0", "workers=1", "--workspace",
         str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith("Serving tea at http://127.0.0.1:"), said + str(server.stderr)
        home = said.split()[-1]

        def call(path: str, body: object = None) -> urllib.request.Request:
            return urllib.request.Request(
                home + path, json.dumps(body).encode() if body is not None else None,
                {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})

        with urllib.request.urlopen(call("v1/whoami"), timeout=30) as answer:
            assert json.loads(answer.read())["name"] == "Ann"
            assert "server" not in {name.lower() for name in answer.headers}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(home + "v1/whoami", timeout=30)
        # A long job and an open stream do not keep the server from stopping.
        with urllib.request.urlopen(call("v1/runs", {
                "scenarios": ["demand_spike"], "horizon": "365d", "replications": 1000}),
                timeout=30) as answer:
            job = json.loads(answer.read())["id"]
        with urllib.request.urlopen(call(f"v1/jobs/{job}/events"), timeout=30) as stream:
            assert stream.readline() == b"retry: 2000\n"
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            rest = stream.read().decode()
            assert "event: queued" in rest
        _, told = server.communicate(timeout=30)
        assert time.monotonic() - began < 20.0
        assert "Traceback" not in told
        assert token not in told
    finally:
        server.kill()
        server.communicate()
