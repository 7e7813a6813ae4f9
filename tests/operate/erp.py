"""An ERP to push to, in a process of its own: ``python erp.py PORT DATABASE SECRET``.

It takes signed CloudEvents, executes each key once, and does on demand what such systems do: answer
500, answer late, execute and then not answer, refuse to undo what is executed. POST /mode sets how
it behaves; GET /orders tells what it has executed.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from twin.operate.connectors.rest import is_genuine

FILE, SECRET = "", b""
MODE: dict[str, Any] = {"fail": 0, "slow": 0.0, "mute": 0, "closed": False}


def base() -> sqlite3.Connection:
    connection = sqlite3.connect(FILE, timeout=30)
    connection.execute("create table if not exists orders (key text primary key, body text, "
                       "seen integer)")
    return connection


class Erp(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def say(self, code: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        with base() as connection:
            rows = connection.execute("select key, body, seen from orders order by rowid")
            self.say(200, [[key, json.loads(body), seen] for key, body, seen in rows])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/mode":
            MODE.update(json.loads(body))
            self.say(200, MODE)
            return
        if not is_genuine(SECRET, self.headers.get("X-Twin-Timestamp", ""), body,
                          self.headers.get("X-Twin-Signature", ""), now=time.time()):
            self.say(403, "not signed by the twin")
            return
        time.sleep(MODE["slow"])
        if MODE["fail"] > 0:
            MODE["fail"] -= 1
            self.say(500, "try again")
            return
        event = json.loads(body)
        if event.get("twinundoes") and MODE["closed"]:
            self.say(409, "executed already")
            return
        with base() as connection:
            connection.execute("insert into orders values (?, ?, 1) on conflict (key) do update "
                               "set seen = seen + 1", (event["id"], json.dumps(event)))
        if MODE["mute"] > 0:
            MODE["mute"] -= 1
            self.connection.close()
            return
        self.say(200, {"taken": event["id"]})


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:  # who asked has been killed
        pass


if __name__ == "__main__":
    FILE, SECRET = sys.argv[2], sys.argv[3].encode()
    base().close()
    Server(("127.0.0.1", int(sys.argv[1])), Erp).serve_forever()
