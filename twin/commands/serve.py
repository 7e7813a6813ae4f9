"""``twin serve``: the verbs over HTTP."""

from __future__ import annotations

import ipaddress
import logging
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from twin.clock import excerpt
from twin.commands.verbs import Call
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, maybe, read, text, whole, word

if TYPE_CHECKING:
    from twin.serve.house import House

_GRACE_S = 10

KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("host", "address to listen on", "127.0.0.1", text),
    Key("port", "port to listen on; 0 takes a free one", "8765", whole(0, 65535)),
    Key("certificate", "file of the TLS certificate", "", maybe(text)),
    Key("key", "file of its private key", "", maybe(text)),
    Key("plain", "yes: other machines may call without TLS, since a proxy in front has it", "no",
        word("yes", "no")),
    Key("rate", "calls a second of one token", "10", whole(1, 10_000)),
    Key("body", "most bytes of a request", "1000000", whole(1_000, 100_000_000)),
    Key("workers", "processes that play a run; blank is one a core", "", maybe(whole(1, 1_000))),
)}

ABOUT = {"serve": """\
twin serve [key=value ...]

The verbs of one model over HTTP for other systems, and a page that shows the inbox. The API
describes itself at /openapi.json. Every call but /health needs a token (see twin tokens --help),
and every call that changes something is in the log with the person behind it. It listens on this
machine only, unless it has a certificate.

  twin serve models=harbour
  twin serve models=harbour host=0.0.0.0 certificate=twin.pem key=twin.key
  twin serve models=harbour host=0.0.0.0 plain=yes        behind a proxy that speaks TLS

  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8765/v1/inbox
  curl -N -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8765/v1/events

What a supplier or customer may see stands in governance/<model>.yaml. Another system answers at
/hooks/CONNECTOR with events that are signed with the secret in TWIN_HOOK_<CONNECTOR>.

The keys:

""" + describe(KEYS)}


def serve_command(call: Call) -> int:
    """Serve until somebody stops it."""
    settings = read(call.arguments, KEYS, "serve")
    check_binding(settings["host"], settings["certificate"], settings["key"],
                  plain=settings["plain"] == "yes")
    try:
        import uvicorn

        from twin.serve.app import make_app, shielded
        from twin.serve.house import House, Limits
    except ImportError as error:
        raise SettingError(f"twin serve needs the library {error.name}. Install it: pip install "
                           "'twin[operate,serve]'.") from None
    limits = Limits(calls_per_s=settings["rate"], burst=6.0 * settings["rate"],
                    body_bytes=settings["body"])
    house = House(call.workspace, settings["models"], limits=limits, workers=settings["workers"])
    if not house.tokens.list():
        call.screen.note("Nobody has a token yet. Make the first: twin tokens add NAME role=admin "
                         f"models={house.model}")
    logging.getLogger("twin.serve").addHandler(logging.StreamHandler())
    tls = settings["certificate"] is not None
    config = uvicorn.Config(
        shielded(make_app(house), tls=tls), host=settings["host"], port=settings["port"],
        ssl_certfile=settings["certificate"], ssl_keyfile=settings["key"], log_level="warning",
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=500,
        timeout_keep_alive=15, timeout_graceful_shutdown=_GRACE_S, ws="none")
    try:
        _server(uvicorn.Server, house, call, tls)(config).run()
    finally:
        house.close()
    return 0


def _server(kind: Any, house: House, call: Call, tls: bool) -> Any:
    """A server that says where it is, and ends streams and jobs when it is told to stop."""

    class Server(kind):  # type: ignore[misc]
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            for server in getattr(self, "servers", ()):
                for socket in server.sockets:
                    host, port = socket.getsockname()[:2]
                    call.screen.say(f"Serving {house.model} at http{'s' if tls else ''}://"
                                    f"{f'[{host}]' if ':' in host else host}:{port}/")
            call.screen.out.file.flush()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            house.closing.set()
            house.jobs.stop()
            super().handle_exit(sig if sig != signal.SIGINT or not self.should_exit
                                else signal.SIGTERM, frame)

    return Server


def check_binding(host: str, certificate: str | None, key: str | None, *, plain: bool) -> None:
    """Refuse to listen where tokens would be readable on the way.

    Examples
    --------
    >>> check_binding("127.0.0.1", None, None, plain=False)
    >>> check_binding("0.0.0.0", None, None, plain=False)
    Traceback (most recent call last):
    ...
    twin.settings.SettingError: host '0.0.0.0' lets other machines call, and tokens would be \
readable on the way. Give certificate=FILE and key=FILE, or plain=yes behind a proxy that has TLS.
    """
    if (certificate is None) != (key is None):
        raise SettingError("certificate and key belong together. Give both, or none.")
    for name, path in (("certificate", certificate), ("key", key)):
        if path is not None and not Path(path).is_file():
            raise SettingError(f"{name} '{excerpt(path)}' is not a file.")
    if not (_is_loopback(host) or certificate or plain):
        raise SettingError(f"host '{excerpt(host)}' lets other machines call, and tokens would be "
                           "readable on the way. Give certificate=FILE and key=FILE, or plain=yes "
                           "behind a proxy that has TLS.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
