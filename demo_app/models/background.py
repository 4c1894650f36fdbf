"""Work in a background thread, whose results go to the screen's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sdk.errors import SdkError

logger = logging.getLogger("demo_app")
T = TypeVar("T")


class Background:
    """Runs work in the background, one piece after the other."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        """Start without work.

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
        """Run work, then call `done` with its result or `failed` in the screen's thread.

        `failed` gets the message of the exception. An exception other than `SdkError` and `OSError`
        is a fault of the program and is also logged with its traceback.
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
                logger.error("Background work failed.", exc_info=error)
            message = str(error) or type(error).__name__
            self._post(lambda: failed(message))

        self._pool.submit(work).add_done_callback(finish)

    def close(self) -> None:
        """Wait for the current work, and drop the waiting work."""
        self._pool.shutdown(wait=True, cancel_futures=True)
