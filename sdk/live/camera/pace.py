"""A limit of the rate at which pictures of a file or folder are returned."""

from __future__ import annotations

import time


class Pace:
    """Limits the rate of an action."""

    def __init__(self, fps: float) -> None:
        """Start the limit.

        Args:
            fps: Largest number of actions per second. 0 sets no limit.
        """
        self._step = 1.0 / fps if fps > 0 else 0.0
        self._due = 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait for the next action, at most until the timeout.

        Returns:
            Whether the action may happen now. The call then counts as the action.
        """
        now = time.monotonic()
        if self._due > now:
            time.sleep(max(0.0, min(timeout_s, self._due - now)))
            now = time.monotonic()
            if self._due > now:
                return False
        self._due = now + self._step
        return True
