"""`Heartbeat`: ends a process of PyTorch when another one of its group says nothing any more.

Gloo notices at once that a process ended, by its closed connections, but waits for hours for one
that is stopped or whose network is gone. JAX has a heartbeat of its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from datetime import timedelta

from training.data.share import Share
from training.loop.supervisor import LOST, SILENCE_S

__all__ = ["Heartbeat"]

_PERIOD_S = 2.0
_CONNECT = timedelta(seconds=SILENCE_S)


class Heartbeat:
    """Counts beats in the store of the chief, and watches those of the others.

    The chief watches all, the others watch the chief: if one process is silent, the chief ends, and
    all others with it.
    """

    def __init__(self, share: Share, host: str, port: int) -> None:
        """Begin to beat; all processes must be there.

        Args:
            share: Rank and number of the processes.
            host: Host of the chief's store.
            port: Port of the store.
        """
        from torch import distributed

        # a connection of its own: a call on the group's one may wait for minutes
        self._store = distributed.TCPStore(host, port, timeout=_CONNECT, wait_for_workers=False)
        self._rank = share.rank
        watched = range(1, share.world) if share.rank == 0 else (0,)
        self._heard = dict.fromkeys(watched, time.monotonic())
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"heartbeat-{work.__name__}", daemon=True)
            for work in (self._beat, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop beating and watching; the others must be about to do so as well."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(SILENCE_S)

    def _beat(self) -> None:
        counts = dict.fromkeys(self._heard, 0)
        # without the chief's store nothing is heard, and the watch ends this process
        with contextlib.suppress(RuntimeError):
            while not self._stopped.is_set():
                self._store.add(f"beats of {self._rank}", 1)
                for rank, before in counts.items():
                    counts[rank] = self._store.add(f"beats of {rank}", 0)
                    if counts[rank] != before:
                        self._heard[rank] = time.monotonic()
                self._stopped.wait(_PERIOD_S)

    def _watch(self) -> None:
        # in a thread of its own: a stopped chief does not answer, and the beat waits for it
        while not self._stopped.wait(1):
            now = time.monotonic()
            silent = [str(rank) for rank, then in self._heard.items() if now - then > SILENCE_S]
            if silent:
                ranks = ", ".join(silent)
                text = f"Process {self._rank}: no sign of life of {ranks} for {SILENCE_S} s.\n"
                sys.stderr.write(text)
                sys.stderr.flush()
                os._exit(LOST)
