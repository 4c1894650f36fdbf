"""Run folders: the files of a training run, and the networks loaded from them.

``config.toml`` (as given), ``run.json`` (command, versions, steps, seconds, last measures),
``checkpoint.npz`` (to resume), ``last.weights.h5``, ``ema.weights.h5`` (the moving average, which
is evaluated and exported), ``best.weights.h5`` (its best state, with ``train.patience``),
``train.csv``, ``validation.csv``, ``curves.png`` and TensorBoard's
event files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.config import Config, load_config
from training.errors import TrainingError
from training.models.build import Built, build_models

__all__ = [
    "AVERAGED",
    "BEST",
    "CHECKPOINT",
    "CONFIG",
    "LAST",
    "RECORD",
    "Run",
    "load_run",
    "save_weights",
]

CONFIG = "config.toml"
RECORD = "run.json"
CHECKPOINT = "checkpoint.npz"
LAST = "last.weights.h5"
AVERAGED = "ema.weights.h5"
BEST = "best.weights.h5"


@dataclass(frozen=True)
class Run:
    """A trained run.

    Attributes:
        config: The run's configuration.
        models: ``line``, or ``detector`` and ``recognizer``, with the averaged weights.
        record: Content of ``run.json``; empty if there is none.
    """

    config: Config
    models: dict[str, keras.Model]
    record: dict[str, Any]


def save_weights(built: Built, values: Sequence[np.ndarray], path: Path) -> None:
    """Write a weights file atomically; the networks' weights become ``values``.

    Args:
        built: Networks to write.
        values: Weights of ``built.trained``.
        path: File name that ends in ``.weights.h5``.

    Raises:
        TrainingError: The disk is full or the folder not writable.
    """
    built.trained.set_weights(list(values))
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        built.trained.save_weights(temporary)
        temporary.replace(path)
    except OSError as error:
        raise TrainingError(
            f"Cannot write {path}: {error.strerror or error}. The earlier file is intact; "
            "make room, then run the same command again to resume."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_run(folder: Path | str) -> Run:
    """Return the networks of a run with their averaged weights.

    Args:
        folder: A run folder.

    Raises:
        TrainingError: The folder is not a run, or holds no weights, or holds weights that do not
            fit its configuration.
    """
    folder = Path(folder)
    if not (folder / CONFIG).exists():
        raise TrainingError(
            f"{folder} is not a run folder: it holds no {CONFIG}. "
            "Train one with: python -m training fit --config … --data … --run DIR"
        )
    config = load_config(folder / CONFIG)
    path = folder / AVERAGED
    if not path.exists():
        raise TrainingError(f"{folder} holds no {path.name} yet: the run has no checkpoint.")
    built = build_models(config.model)
    try:
        built.trained.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{path} does not fit its {CONFIG}: {error}") from error
    record_path = folder / RECORD
    record = json.loads(record_path.read_text(encoding="utf-8")) if record_path.exists() else {}
    return Run(config, built.parts, record)
