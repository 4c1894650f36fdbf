"""Weight averaging: the mean of several runs' weights, as a new run.

Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time", section 2, uniform: runs that started from the same
weights and continued with other batches make different errors, and their average often makes fewer
than each. The average costs nothing at run time. Runs without common initial weights have no
meaningful average.

An average that includes the initial weights keeps abilities that further training loses: Wortsman
et al. 2022, "Robust fine-tuning of zero-shot models". The initial weights may come from a bundle.
Convolutions are averaged with their batch normalization folded in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.charset import Charset
from sdk.files import write_atomically
from sdk.model.bundle import MANIFEST_NAME, read_manifest
from training.errors import TrainingError
from training.startup import load_keras

if TYPE_CHECKING:
    from training.config import Config
    from training.models.build import Built
    from training.runs.folder import Run

__all__ = ["average_runs", "bundle_model"]


def average_runs(sources: Sequence[Path | str], folder: Path | str) -> None:
    """Write a run whose weights are the mean of the weights of other runs.

    The new run can be evaluated, exported and used in ``train.init_from``, but not resumed.

    Args:
        sources: At least two run folders of the same network; their moving averages are taken.
            For a line network, all but one may be bundles. A source that is given twice counts
            twice.
        folder: Run folder to write; must not hold a run.

    Raises:
        TrainingError: A source is not a run, the networks differ, or the folder holds a run or is
            not writable.
        ModelError: A bundle is damaged.
    """
    load_keras()
    from training.models.build import build_models
    from training.runs.folder import AVERAGED, CONFIG, RECORD, load_run, save_weights
    from training.runs.warm_start import weights_source

    folder = Path(folder)
    if len(sources) < 2:
        raise TrainingError(f"An average needs at least two runs, not {len(sources)}.")
    if (folder / CONFIG).exists():
        raise TrainingError(f"{folder} already holds a run. Give a new folder.")
    folders = [weights_source(source) for source in sources]
    bundles = [source for source in folders if (source / MANIFEST_NAME).exists()]
    loaded = {source: load_run(source) for source in folders if source not in bundles}
    runs = [(source, loaded[source]) for source in folders if source in loaded]
    if not runs:
        raise TrainingError("An average of bundles only: at least one source must be a run folder.")
    first, config = runs[0][0], runs[0][1].config
    for source, run in runs:
        if run.config.model != config.model:
            raise TrainingError(
                f"{source} holds another network than {first}: their [model] sections differ. "
                "Average runs of one network that started from the same weights."
            )
    models = [run.models for _, run in runs]
    models += [bundle_model(bundle, config, models[0]).parts for bundle in bundles]
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
    # written last: a folder without this file is not a run
    write_atomically(folder / CONFIG, (Path(first) / CONFIG).read_bytes())


def bundle_model(bundle: Path | str, config: Config, trained: Mapping[str, Any]) -> Built:
    """Return a line network with the weights of a bundle.

    Characters that the bundle lacks have the classes of the trained network.

    Raises:
        TrainingError: The configuration is of no line network, or the bundle's network differs.
    """
    import keras

    from training.models.build import build_models, copy_by_name, layers_by_name
    from training.runs.warm_start import start_from_bundle

    if config.model.kind != "line":
        raise TrainingError(f"{bundle} is a bundle: only line networks can be averaged with one.")
    built = build_models(config.model)
    copy_by_name(trained["line"], built.trained)
    # the network's function does not depend on the picture that sets its statistics
    noise = np.random.default_rng(0).integers(0, 256, (4, 32, 128, 3), np.uint8)
    copied = start_from_bundle(Path(bundle), built.trained, noise, Charset(config.model.charset))
    kinds = keras.layers.Conv2D, keras.layers.DepthwiseConv2D
    wanted = [n for n, x in layers_by_name(built.trained).items() if isinstance(x, kinds)]
    missing = sorted(set(wanted) - set(copied))
    if missing:
        raise TrainingError(
            f"{bundle} holds another line network than the runs: it lacks {', '.join(missing)}, or "
            "has them in other sizes. Average networks that started from the same weights."
        )
    return built


def _set_mean(target: Any, models: Sequence[Any]) -> None:
    """Set the weights of a model to the mean of the weights of models of the same form."""
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


def _record(runs: Sequence[tuple[Path, Run]], bundles: Sequence[Path | str]) -> dict[str, Any]:
    """Return the entries common to all records, the most steps and samples, and the sources."""
    known = [{"name": Path(source).name, **run.record} for source, run in runs]
    first, *others = known
    record = {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}
    for key in ("step", "samples"):
        record[key] = max(int(source.get(key, 0)) for source in known)
    manifests = [read_manifest(bundle)[1] for bundle in bundles]
    given = [{"bundle": manifest.name, "version": manifest.version} for manifest in manifests]
    return {**record, "mean_of": [*known, *given]}
