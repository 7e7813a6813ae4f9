"""A short-lived worker process: started with data, told and heard while it works, ended for good.

Models of solvers cannot be passed on, and their memory grows with each solve; so a process gets
plain data, keeps its models to itself, and is killed at the end.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

#: What processes say: the number of one, and its message; None when it has ended.
News = Queue[tuple[int, Any]]


class WorkerProcess:
    """One process, and a thread that listens to it.

    Parameters
    ----------
    number
        Its name among those that report to the same `news`.
    module
        Of `twin.optimize`; its ``main()`` reads pickled messages from standard input, the data
        first, and writes pickled answers to standard output.
    data
        What it starts with.

    Examples
    --------
    >>> news = Queue()
    >>> from twin.optimize.route_problem import RouteProblem, RouteTruck, Stop
    >>> import numpy as np
    >>> from twin.optimize.engine import Limit
    >>> from twin.optimize.route_worker import Turn
    >>> far = np.array([[0.0, 3.0], [3.0, 0.0]])
    >>> problem = RouteProblem(far, far, (Stop("A", 1),), (RouteTruck("van", 0, 0),))
    >>> process = WorkerProcess(0, "route_worker", problem, news)
    >>> process.say(Turn("enumeration", Limit(9.0), 1))
    >>> heard = hear(news, time.time() + 30.0)
    >>> process.stop()
    >>> heard[1].found.stopped_by, process.alive
    ('proof', False)
    """

    def __init__(self, number: int, module: str, data: Any, news: News) -> None:
        self.number = number
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from twin.optimize.{module} import main; main()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"})
        self.alive = True
        self.say(data)
        Thread(target=self._listen, args=(news,), daemon=True).start()

    def say(self, message: Any) -> None:
        """Send a message; a process that has died is missed when it does not answer."""
        assert self.process.stdin is not None
        try:
            pickle.dump(message, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
        except OSError:
            self.alive = False

    def _listen(self, news: News) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                news.put((self.number, pickle.load(self.process.stdout)))
        except (EOFError, OSError, pickle.UnpicklingError, ValueError):
            news.put((self.number, None))

    def stop(self, *, finish: bool = False) -> None:
        """End the process, whatever it does; or let it `finish` that in the background, unheard.

        It then ends itself when there is nothing more to read.
        """
        self.alive = False
        if finish:
            self._close(self.process.stdin)
            Thread(target=self._end, daemon=True).start()
        else:
            self.process.kill()
            self._end()

    def _end(self) -> None:
        self.process.wait()
        self._close(self.process.stdin)
        self._close(self.process.stdout)

    @staticmethod
    def _close(pipe: IO[bytes] | None) -> None:
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def hear(news: News, until: float) -> tuple[int, Any] | None:
    """The next message; None at the hard deadline (a time of the wall clock)."""
    try:
        return news.get(timeout=max(0.0, until - time.time()))
    except Empty:
        return None
