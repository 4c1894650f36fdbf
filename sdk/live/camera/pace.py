"""Hand out pictures of a file or folder no faster than wanted."""

from __future__ import annotations

import time


class Pace:
    """Lets something happen at most so often."""

    def __init__(self, fps: float) -> None:
        """Start.

        Args:
            fps: Times a second; 0 sets no limit.
        """
        self._step = 1.0 / fps if fps > 0 else 0.0
        self._due = 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait until it may happen again, but not longer than the timeout; return whether it may.

        A call that returns True counts as the happening.
        """
        now = time.monotonic()
        if self._due > now:
            time.sleep(max(0.0, min(timeout_s, self._due - now)))
            now = time.monotonic()
            if self._due > now:
                return False
        self._due = now + self._step
        return True
