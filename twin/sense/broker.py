"""A broker inside this process, for demos and tests where none is installed (MQTT 3.1.1)."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twin.sense.source import SourceError

_PATIENCE_S = 10.0


@contextmanager
def embedded_broker(port: int = 0) -> Iterator[str]:
    """A broker on this machine alone, for as long as the block lasts; its address.

    It takes anybody, keeps nothing for a listener that is away, and knows no shared subscription:
    for a plant, run Mosquitto or another real one.

    Parameters
    ----------
    port
        0 takes a free one.

    Raises
    ------
    SourceError
        If the port is taken, or the library is missing.

    Examples
    --------
    >>> with embedded_broker() as address:
    ...     address.startswith("mqtt://127.0.0.1:")
    True
    """
    _load()
    port = _free(port)
    broker = _Broker(port)
    broker.start()
    try:
        broker.wait()
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        broker.stop()


def _load() -> None:
    """Import the library; what it warns about its own dependencies is not ours to tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import amqtt.broker  # type: ignore[import-untyped]
            import amqtt.plugins.authentication  # type: ignore[import-untyped] # noqa: F401
    except ImportError:
        raise SourceError("The embedded broker needs the library amqtt. Install it: pip install "
                          "'twin[iot]'") from None


def _free(port: int) -> int:
    """The port, or a free one for 0."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            raise SourceError(f"port {port} is taken; is a broker running there already? Then "
                              "leave out broker=embedded.") from None
        return int(door.getsockname()[1])


class _Broker(threading.Thread):
    """The broker's event loop, in a thread of its own."""

    def __init__(self, port: int) -> None:
        super().__init__(name="broker", daemon=True)
        self.port = port
        self.loop = asyncio.new_event_loop()
        self.ready, self.done = threading.Event(), asyncio.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        # A client that speaks MQTT 5 first is shown the door, and comes back with 3.1.1.
        self.loop.set_exception_handler(lambda _loop, _trouble: None)
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as error:
            self.error = error
        finally:
            self.ready.set()
            self.loop.close()

    async def _serve(self) -> None:
        from amqtt.broker import Broker

        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        settings: dict[str, Any] = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin":
                        {"allow_anonymous": True}}}
        broker = Broker(settings, loop=self.loop)
        await broker.start()
        self.ready.set()
        try:
            await self.done.wait()
        finally:
            await broker.shutdown()

    def wait(self) -> None:
        """Until it serves."""
        if not self.ready.wait(_PATIENCE_S) or self.error is not None:
            raise SourceError(f"the embedded broker did not start on port {self.port}: "
                              f"{self.error or 'no answer'}.")

    def stop(self) -> None:
        """Until it is gone."""
        if self.is_alive():
            self.loop.call_soon_threadsafe(self.done.set)
            self.join(_PATIENCE_S)
