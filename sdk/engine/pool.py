"""A pool of engines of one graph, for several threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from queue import LifoQueue
from typing import Any

from numpy.typing import NDArray

from sdk.engine.base import Engine
from sdk.forking import renew_in_child

__all__ = ["EnginePool"]


class EnginePool:
    """Runs one graph for as many threads at the same time as there are engines.

    The engine that was returned last runs next. With a single thread the pool therefore needs
    hardly more memory than one engine.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        """Create a pool that owns the engines.

        Args:
            engines: Engines of the same graph, at least one.
        """
        self._engines = tuple(engines)
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Return all engines to the pool in a forked child, see `sdk.forking`."""
        self._free: LifoQueue[Engine] = LifoQueue()
        for engine in reversed(self._engines):
            self._free.put(engine)

    def __len__(self) -> int:
        """Return the number of engines."""
        return len(self._engines)

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph, see `Engine.run`."""
        engine = self._free.get()
        try:
            return engine.run(inputs, raw)
        finally:
            self._free.put(engine)

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads of one engine and file as plain values."""
        return self._engines[0].describe()

    def close(self) -> None:
        """Free the interpreters."""
        for engine in self._engines:
            engine.close()
