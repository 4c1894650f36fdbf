"""Work that must not stop the screen: one thread does it, the screen's thread gets the result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sdk.errors import SdkError

logger = logging.getLogger("demo_app")
T = TypeVar("T")


class Background:
    """Runs one piece of work after the other beside the screen."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        """Start idle.

        Args:
            post: Calls a function in the screen's thread, soon.
        """
        self._post = post
        self._pool = ThreadPoolExecutor(1, "background")

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None],
    ) -> None:
        """Do work; then, in the screen's thread, call `done` with its result or `failed`.

        `failed` gets the message of an `SdkError` or an `OSError`; any other exception is a fault
        of the program and is logged with its traceback, too.
        """

        def finish(future: Future[T]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is None:
                result = future.result()
                self._post(lambda: done(result))
                return
            if not isinstance(error, (SdkError, OSError)):
                logger.error("Work beside the screen failed.", exc_info=error)
            message = str(error) or type(error).__name__
            self._post(lambda: failed(message))

        self._pool.submit(work).add_done_callback(finish)

    def close(self) -> None:
        """Wait for the work under way, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
