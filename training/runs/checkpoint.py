"""Checkpoints: the complete state of a run in one file, to resume at the same step.

The file is written atomically, so a kill or a full disk leaves the earlier checkpoint.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import SdkError
from sdk.files import write_atomically
from training.errors import TrainingError

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """State of a run.

    Attributes:
        weights: The model's weights.
        average: Moving average of the weights.
        optimizer: The optimizer's variables.
        state: JSON values: step, seconds, shards seen.
    """

    weights: list[np.ndarray]
    average: list[np.ndarray]
    optimizer: list[np.ndarray]
    state: dict[str, Any]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; on failure the earlier one stays.

    Raises:
        TrainingError: The disk is full or the folder not writable.
    """
    # typed as Any: NumPy's stubs take every keyword for "allow_pickle"
    arrays: dict[str, Any] = {"state": np.array(json.dumps(checkpoint.state))}
    for group in ("weights", "average", "optimizer"):
        values: Sequence[np.ndarray] = getattr(checkpoint, group)
        arrays.update({f"{group}_{i:04d}": np.asarray(v) for i, v in enumerate(values)})
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    try:
        write_atomically(path, buffer.getvalue())
    except SdkError as error:
        raise TrainingError(
            f"{error} The earlier checkpoint is intact: make room, then run the same command again "
            "to resume."
        ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Raises:
        TrainingError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            groups = {
                group: [file[name] for name in sorted(file.files) if name.startswith(f"{group}_")]
                for group in ("weights", "average", "optimizer")
            }
            state = json.loads(str(file["state"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"Cannot read the checkpoint {path}: {error}. Give a new run folder; "
            f'train.init_from = "{path.parent}" starts from the weights that the run wrote.'
        ) from error
    return Checkpoint(state=state, **groups)
