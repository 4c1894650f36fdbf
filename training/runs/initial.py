"""Initial weights of a new run: from a run, a bundle, or the packaged model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras

from sdk.charset import Charset
from sdk.model.bundle import MANIFEST_NAME
from training.errors import TrainingError
from training.models.build import copy_by_name, layers_by_name
from training.models.classes import CLASSIFIERS, keep_classes
from training.models.widen import widen_by_name
from training.runs.folder import Run, load_run
from training.runs.warm_start import start_from_bundle, weights_source

__all__ = ["take_initial_weights"]

_log = logging.getLogger("training")


def take_initial_weights(
    source: str, model: keras.Model, charset: Charset, inputs: Callable[[], Any]
) -> None:
    """Copy all weights that fit by name and shape; classes are copied by character.

    Args:
        source: Run folder, bundle, or ``default`` for the packaged model.
        model: Network to initialize, ``Built.trained``.
        charset: Charset of the network.
        inputs: Returns the inputs of a training batch.

    Raises:
        TrainingError: The source is neither, or no weight fits.
        ModelError: The bundle is damaged.
    """
    folder = weights_source(source)
    copied: list[str] = []
    widened: list[str] = []
    if (folder / MANIFEST_NAME).exists():
        copied = start_from_bundle(folder, model, inputs(), charset)
    else:
        copied, widened = _start_from_run(load_run(folder), model, charset)
    if not copied and not widened:
        raise TrainingError(
            f"train.init_from: no layer of {source} fits this network by name and shape."
        )
    _log.info(
        "%d layers initialized from %s, %d of them widened",
        len(copied) + len(widened),
        source,
        len(widened),
    )


def _start_from_run(run: Run, model: keras.Model, charset: Charset) -> tuple[list[str], list[str]]:
    """Return the names of the copied and of the widened layers."""
    old = Charset(run.config.model.charset)
    apart = () if old == charset else CLASSIFIERS
    layers = layers_by_name(model)
    copied: list[str] = []
    widened: list[str] = []
    for part in run.models.values():
        copied += copy_by_name(part, model, without=apart)
        widened += widen_by_name(part, model, without=apart)
        have = layers_by_name(part)
        for name in {*apart} & {*have} & {*layers}:
            kernel, bias = have[name].get_weights()
            if keep_classes(layers[name], kernel, bias, old, charset):
                copied.append(name)
    return copied, widened
