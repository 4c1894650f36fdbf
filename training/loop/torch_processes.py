"""`TorchProcesses`: processes that add up sums and gradients over Gloo."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import keras

from training.data.share import Share
from training.loop.heartbeat import Heartbeat
from training.models.global_sums import join

__all__ = ["TorchProcesses"]

_MEET = timedelta(minutes=2)
_WAIT = timedelta(hours=2)
"""Greatest time that a process waits for another one, for the chief's validation above all.

A process that ends is noticed at once, by its closed connection; one that is stopped or cut off, by
`Heartbeat`.
"""


class TorchProcesses:
    """Each process computes the loss of the whole batch, and gradients of its own rows."""

    def __init__(self, share: Share, coordinator: str) -> None:
        """Meet the other processes.

        Args:
            share: Rank and number of the processes.
            coordinator: HOST:PORT at which the process of rank 0 listens.

        Raises:
            RuntimeError: The other processes do not come.
        """
        from torch import distributed

        # Where TensorFlow is installed, Keras imports it to seed it. Later, on a busy machine, this
        # would hold Python's lock, and so the heartbeat, for longer than the others wait.
        keras.utils.set_random_seed(0)
        self.devices = share.world
        host, _, port = coordinator.rpartition(":")
        store = distributed.TCPStore(host, int(port), share.world, share.rank == 0, _MEET)
        distributed.init_process_group(
            "gloo", store=store, rank=share.rank, world_size=share.world, timeout=_WAIT
        )
        self._heartbeat = Heartbeat(share, host, int(port))
        join(True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Run models in this process only, while the block runs."""
        join(False)
        try:
            yield
        finally:
            join(True)

    def broadcast(self, numbers: list[int]) -> list[int]:
        """Return the numbers of rank 0, below 2^31 each."""
        import torch

        agreed = torch.tensor(numbers, dtype=torch.int64)
        torch.distributed.broadcast(agreed, 0)
        return agreed.tolist()

    def share_gradients(self, optimizer: Any) -> None:
        """Make an optimizer clip and apply the gradients of the whole batch.

        Keras' step calls `apply` with the gradients of this process; nothing is called in between.
        """
        apply = optimizer.apply

        def apply_shared(gradients: Sequence[Any], variables: Any = None) -> None:
            apply(_means(gradients), variables)

        optimizer.apply = apply_shared

    def leave(self) -> None:
        """Wait for the others, then stop watching them, and let them do so."""
        import torch

        torch.distributed.barrier()
        self._heartbeat.stop()
        torch.distributed.barrier()


def _means(gradients: Sequence[Any]) -> list[Any]:
    """Return means over the processes: each computed the whole loss, which counts once."""
    import torch

    flat = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    parts = flat.split([gradient.numel() for gradient in gradients])
    return [part.view(g.shape) for part, g in zip(parts, gradients, strict=True)]
