"""`JaxProcesses`: processes that compute a step as one program over all their devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from training.data.share import Share
from training.loop.supervisor import SILENCE_S

__all__ = ["JaxProcesses"]


class JaxProcesses:
    """Losses and gradients are those of the whole batch without a change to them."""

    def __init__(self, share: Share, coordinator: str) -> None:
        """Meet the other processes; nothing of JAX may have been computed before.

        Args:
            share: Rank and number of the processes.
            coordinator: HOST:PORT at which the process of rank 0 listens.

        Raises:
            RuntimeError: The other processes do not come.
        """
        import jax

        jax.distributed.initialize(
            coordinator,
            share.world,
            share.rank,
            initialization_timeout=120,
            heartbeat_timeout_seconds=SILENCE_S,
            shutdown_timeout_seconds=SILENCE_S,
        )
        self._distribution = keras.distribution.DataParallel(
            devices=keras.distribution.list_devices(), auto_shard_dataset=False
        )
        keras.distribution.set_distribution(self._distribution)

    @property
    def devices(self) -> int:
        """Number of devices of all processes."""
        return len(keras.distribution.list_devices())

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Build and run models in this process only, while the block runs."""
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(self._distribution)

    def broadcast(self, numbers: list[int]) -> list[int]:
        """Return the numbers of rank 0, below 2^31 each."""
        from jax.experimental.multihost_utils import broadcast_one_to_all

        agreed = broadcast_one_to_all(np.array(numbers, np.int32))
        return [int(number) for number in np.asarray(agreed)]

    def share_gradients(self, optimizer: Any) -> None:
        """Do nothing: the program's gradients are those of the whole batch."""

    def leave(self) -> None:
        """Do nothing: at its end JAX waits for the others."""
