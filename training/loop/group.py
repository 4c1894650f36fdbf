"""`Group`: the processes that train one run together, on JAX.

Each process computes its rows of every batch; losses and gradients are those of the whole batch,
because JAX compiles the step as one program over all devices. So the losses need no change, and
ratios of sums, as in the dice loss, are right.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from sdk.errors import SdkError
from training.data.shards import ShardError
from training.data.share import WHOLE, Share
from training.errors import TrainingError
from training.loop.supervisor import LOST, check_backend

__all__ = ["Group", "ended_with_the_others"]

_SILENCE_S = 20
"""A process that says nothing for this time is taken for lost, and ends the others."""


class Group:
    """The processes of a run; a training by one process is a group of one.

    Attributes:
        share: This process's part of each batch.
    """

    def __init__(self, share: Share = WHOLE, coordinator: str | None = None) -> None:
        """Meet the other processes; nothing of JAX may have been computed before.

        Args:
            share: Rank and number of the processes.
            coordinator: HOST:PORT at which the process of rank 0 listens; None for a process that
                trains alone.

        Raises:
            TrainingError: The backend is not JAX, or the other processes do not come.
        """
        self.share = share
        self._distribution: Any = None
        if coordinator is None:
            return
        check_backend(keras.backend.backend())
        import jax

        try:
            jax.distributed.initialize(
                coordinator,
                share.world,
                share.rank,
                initialization_timeout=120,
                heartbeat_timeout_seconds=_SILENCE_S,
                shutdown_timeout_seconds=_SILENCE_S,
            )
        except RuntimeError as error:
            raise TrainingError(
                f"The {share.world} processes did not meet at {coordinator}: {error}. Each host's "
                "name must resolve to its own address (see /etc/hosts), not to 127.0.1.1."
            ) from error
        self._distribution = keras.distribution.DataParallel(
            devices=keras.distribution.list_devices(), auto_shard_dataset=False
        )
        keras.distribution.set_distribution(self._distribution)
        # connects the processes while all of them are here: Gloo waits 30 s only, and the chief may
        # take longer until it needs the others
        self.agree([0])

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the run's files and decides."""
        return self.share.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is no distribution over devices or processes."""
        return self._distribution is None

    @property
    def devices(self) -> int:
        """Number of devices among which the rows of a batch are shared."""
        return 1 if self._distribution is None else len(keras.distribution.list_devices())

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Build and run models in this process only, while the block runs."""
        if self._distribution is None:
            yield
            return
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(self._distribution)

    def agree(self, numbers: list[int]) -> list[int]:
        """Return the chief's numbers, below 2^31 each; all processes must call this."""
        if self.share.world == 1:
            return numbers
        from jax.experimental.multihost_utils import broadcast_one_to_all

        agreed = broadcast_one_to_all(np.array(numbers, np.int32))
        return [int(number) for number in np.asarray(agreed)]

    def agree_on(self, value: Any) -> Any:
        """Return the chief's JSON value; all processes must call this."""
        if self.share.world == 1:
            return value
        data = json.dumps(value).encode() if self.is_chief else b""
        size = self.agree([len(data)])[0]
        return json.loads(bytes(self.agree(list(data.ljust(size, b" ")))))


@contextlib.contextmanager
def ended_with_the_others() -> Iterator[None]:
    """End this process at once if the block fails because another process was lost.

    The end of JAX would wait for the lost process for minutes.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, SdkError, ShardError, TrainingError):
        raise
    except Exception:  # JAX's errors of a broken connection have many classes
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(LOST)
