"""Sums over the batch of all processes that train together on PyTorch.

On JAX, a step is one program over all devices, and its sums are those of the whole batch. A process
of PyTorch knows its own rows only, so what a batch adds up is added up once more, over the
processes: the sums of the losses, and those of batch normalization.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["global_sums", "is_joined", "join"]

_joined = False


def join(state: bool) -> None:
    """Take sums over all processes of the default group from now on, or over this one alone."""
    global _joined
    _joined = state


def is_joined() -> bool:
    """Tell whether sums go over all processes."""
    return _joined


def global_sums(*values: Any) -> Sequence[Any]:
    """Return the sums of tensors over all processes, or the tensors if they are those already.

    All processes must call this in the same order. The gradients are those of the sum of all
    processes' losses: if each of W processes computes the loss of the whole batch, they are W times
    too large.

    Args:
        values: Tensors of one shape and one floating dtype.
    """
    if not _joined:
        return values
    import torch

    return _all_reduce()(torch.stack(values)).unbind()


@functools.cache
def _all_reduce() -> Callable[[Any], Any]:
    """Return the differentiable sum; that of `torch.distributed.nn` is deprecated."""
    import torch

    class AllReduce(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: Any) -> Any:
            total = value.clone()
            torch.distributed.all_reduce(total)
            return total

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return AllReduce.forward(ctx, gradient)

    return AllReduce.apply
