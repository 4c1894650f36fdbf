"""The mean of several runs' weights, as a run of its own.

Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time", section 2, uniform: runs that began from the same
weights and went on with other batches err differently, and their mean often errs less than each. It
costs nothing at run time. Runs that share no beginning have no meaningful mean.

With the weights they began from, too, the mean keeps what further training forgets: Wortsman et al.
2022, "Robust fine-tuning of zero-shot models". Those weights may be a bundle's. What is averaged
are convolutions with their batch normalization folded in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.files import write_atomically
from sdk.model.bundle import MANIFEST_NAME, read_manifest
from training.errors import TrainingError
from training.startup import load_keras

if TYPE_CHECKING:
    from training.config import Config
    from training.models.build import Built
    from training.runs.folder import Run

__all__ = ["average_runs"]


def average_runs(sources: Sequence[Path | str], folder: Path | str) -> None:
    """Write a run whose weights are the mean of those of others.

    It can be evaluated, exported and begun from like any run, but not gone on with.

    Args:
        sources: At least two run folders of the same network, whose averaged weights are taken;
            but for one run, they may be bundles, if it is a line network.
        folder: Run folder to write; must not hold a run.

    Raises:
        TrainingError: A source is no run, the networks differ, or the folder is taken or not
            writable.
        ModelError: A bundle is damaged.
    """
    load_keras()
    from training.models.build import build_models
    from training.runs.folder import AVERAGED, CONFIG, RECORD, load_run, save_weights

    folder = Path(folder)
    if len(sources) < 2:
        raise TrainingError(f"A mean needs at least two runs, not {len(sources)}.")
    if (folder / CONFIG).exists():
        raise TrainingError(f"{folder} already holds a run. Give a new folder.")
    bundles = [source for source in sources if (Path(source) / MANIFEST_NAME).exists()]
    runs = {source: load_run(source) for source in sources if source not in bundles}
    if not runs:
        raise TrainingError("A mean of bundles only: at least one of them must be a run folder.")
    first, config = next((source, run.config) for source, run in runs.items())
    for source, run in runs.items():
        if run.config.model != config.model:
            raise TrainingError(
                f"{source} holds another network than {first}: their [model] sections differ. "
                "Average runs of one network, begun from the same weights."
            )
    models = [run.models for run in runs.values()]
    models += [_bundle_model(Path(bundle), config).parts for bundle in bundles]
    mean = build_models(config.model)
    for name, part in mean.parts.items():
        _set_mean(part, [parts[name] for parts in models])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"Cannot make the run folder {folder}: {error}.") from error
    save_weights(mean, mean.trained.get_weights(), folder / AVERAGED)
    record = _record(runs, bundles)
    write_atomically(folder / RECORD, json.dumps(record, indent=1).encode())
    # last: a folder without it is no run
    write_atomically(folder / CONFIG, (Path(first) / CONFIG).read_bytes())


def _bundle_model(bundle: Path, config: Config) -> Built:
    """Return a line network with the weights of a bundle's.

    Raises:
        TrainingError: It is no line network, or another than the runs'.
    """
    import keras

    from training.models.build import build_models, layers_by_name
    from training.runs.warm_start import start_from_bundle

    if config.model.kind != "line":
        raise TrainingError(f"{bundle} is a bundle: only line networks have a mean with one.")
    built = build_models(config.model)
    # what the network computes does not depend on the picture that sets its averages
    noise = np.random.default_rng(0).integers(0, 256, (4, 32, 128, 3), np.uint8)
    copied = start_from_bundle(bundle, built.trained, noise)
    kinds = keras.layers.Conv2D, keras.layers.DepthwiseConv2D
    wanted = [n for n, x in layers_by_name(built.trained).items() if isinstance(x, kinds)]
    missing = sorted(set(wanted) - set(copied))
    if missing:
        raise TrainingError(
            f"{bundle} holds another line network than the runs: it lacks {', '.join(missing)}, or "
            "has them in other sizes. Average what began from the same weights."
        )
    return built


def _set_mean(target: Any, models: Sequence[Any]) -> None:
    """Set the weights of a model to the mean of those of others like it."""
    from training.models.batch_norm import BatchNormalization
    from training.models.build import layers_by_name
    from training.models.folding import Folded, convolution_before, fold, unfold

    layers, sources = layers_by_name(target), [layers_by_name(model) for model in models]
    done = set()
    for name, layer in layers.items():
        if isinstance(layer, BatchNormalization):
            before = convolution_before(layer)
            folded = [fold(source[before], source[name]) for source in sources]
            fields = zip(*(vars(each).values() for each in folded), strict=True)
            unfold(Folded(*(np.mean(values, axis=0) for values in fields)), layers[before], layer)
            done |= {name, before}
    for name in layers.keys() - done:
        weights = zip(*(source[name].get_weights() for source in sources), strict=True)
        layers[name].set_weights([np.mean(values, axis=0) for values in weights])


def _record(runs: Mapping[Path | str, Run], bundles: Sequence[Path | str]) -> dict[str, Any]:
    """Return what is true of all runs, the most steps and samples of any, and the sources."""
    known = [{"name": Path(source).name, **run.record} for source, run in runs.items()]
    first, *others = known
    record = {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}
    for key in ("step", "samples"):
        record[key] = max(int(source.get(key, 0)) for source in known)
    manifests = [read_manifest(bundle)[1] for bundle in bundles]
    given = [{"bundle": manifest.name, "version": manifest.version} for manifest in manifests]
    return {**record, "mean_of": [*known, *given]}
