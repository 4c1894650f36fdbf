"""`Group`: the processes that train one run together, on JAX or PyTorch.

Each process computes its rows of every batch; losses and gradients are those of the whole batch.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Iterator
from typing import Any, Protocol

import keras

from sdk.errors import SdkError
from training.data.shards import ShardError
from training.data.share import WHOLE, Share
from training.errors import TrainingError
from training.loop.jax_processes import JaxProcesses
from training.loop.supervisor import LOST, check_backend
from training.loop.torch_processes import TorchProcesses

__all__ = ["Group", "joined_group"]


class Processes(Protocol):
    """How the processes of a backend work together."""

    @property
    def devices(self) -> int:
        """Number of devices of all processes."""

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Build and run models in this process only, while the block runs."""

    def broadcast(self, numbers: list[int]) -> list[int]:
        """Return the numbers of rank 0, below 2^31 each."""

    def share_gradients(self, optimizer: Any) -> None:
        """Make an optimizer apply the gradients of the whole batch."""

    def leave(self) -> None:
        """Let this process end without being taken for lost; all processes must call this."""


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
            TrainingError: The backend is TensorFlow, or the other processes do not come.
        """
        self.share = share
        self._processes: Processes | None = None
        if coordinator is None:
            return
        backend = keras.backend.backend()
        check_backend(backend)
        kind = TorchProcesses if backend == "torch" else JaxProcesses
        try:
            self._processes = kind(share, coordinator)
        except RuntimeError as error:
            raise TrainingError(
                f"The {share.world} processes did not meet at {coordinator}: {error}. Each host's "
                "name must resolve to its own address (see /etc/hosts), not to 127.0.1.1."
            ) from error
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
        return self._processes is None

    @property
    def devices(self) -> int:
        """Number of devices among which the rows of a batch are shared."""
        return 1 if self._processes is None else self._processes.devices

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Build and run models in this process only, while the block runs."""
        return contextlib.nullcontext() if self._processes is None else self._processes.alone()

    def share_gradients(self, optimizer: Any) -> None:
        """Make an optimizer clip and apply the gradients of the whole batch."""
        if self._processes is not None:
            self._processes.share_gradients(optimizer)

    def leave(self) -> None:
        """Let this process end without being taken for lost; all processes must call this."""
        if self._processes is not None:
            self._processes.leave()

    def agree(self, numbers: list[int]) -> list[int]:
        """Return the chief's numbers, below 2^31 each; all processes must call this."""
        return numbers if self._processes is None else self._processes.broadcast(numbers)

    def agree_on(self, value: Any) -> Any:
        """Return the chief's JSON value; all processes must call this."""
        if self._processes is None:
            return value
        data = json.dumps(value).encode() if self.is_chief else b""
        size = self.agree([len(data)])[0]
        return json.loads(bytes(self.agree(list(data.ljust(size, b" ")))))


@contextlib.contextmanager
def joined_group(share: Share, coordinator: str) -> Iterator[Group]:
    """Meet the other processes for a block, which all of them end together.

    If the block fails because another process was lost, this process ends at once: the end of JAX
    would wait for the lost process for minutes. The exit code tells the supervisor to start all
    again.

    Args:
        share: Rank and number of the processes.
        coordinator: HOST:PORT at which the process of rank 0 listens.
    """
    try:
        group = Group(share, coordinator)
        yield group
        group.leave()
    except (KeyboardInterrupt, SystemExit, SdkError, ShardError, TrainingError):
        raise
    except Exception:  # errors of a broken connection have many classes
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(LOST)
