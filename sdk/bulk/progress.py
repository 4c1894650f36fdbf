"""How far a run is, how fast, and what each node does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from sdk.cluster.session import Cluster

__all__ = ["Progress"]

_EVERY_S = 5.0


class Progress:
    """Tells the progress of a run every few seconds, and nodes that join or are lost at once."""

    def __init__(self, cluster: Cluster, total: int, tell: Callable[[str], None]) -> None:
        """Start the clock.

        Args:
            cluster: The cluster.
            total: Photos to read.
            tell: Called with each line of text.
        """
        self._cluster, self._total, self._tell = cluster, total, tell
        self._nodes = cluster.nodes()
        self._by_node: Counter[str] = Counter()
        self._began = self._told = time.monotonic()
        tell(f"{total} photos to read on {', '.join(sorted(self._nodes.values()))}")

    def add(self, node: str, photos: int) -> None:
        """Count photos that a node has done."""
        self._by_node[node] += photos

    def tick(self) -> None:
        """Tell what is new, if it is time to."""
        now = time.monotonic()
        if now - self._told < _EVERY_S:
            return
        self._told = now
        nodes = self._cluster.nodes()
        for identity in nodes.keys() - self._nodes.keys():
            self._tell(f"{nodes[identity]} has joined")
        for identity in self._nodes.keys() - nodes.keys():
            self._tell(f"{self._nodes[identity]} was lost; what it had begun is done again")
        self._nodes = nodes
        self._tell(self.line(now))

    def line(self, now: float) -> str:
        """Return the progress as a line of text."""
        done, seconds = sum(self._by_node.values()), max(now - self._began, 1e-3)
        rate = done / seconds
        left = _time((self._total - done) / rate) if done else "?"
        shares = ", ".join(f"{node} {n}" for node, n in sorted(self._by_node.items())) or "none yet"
        return f"{done}/{self._total} photos, {rate:.1f}/s, {left} left; by node: {shares}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
