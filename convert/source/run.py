"""Training runs as sources of a conversion."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.recipe import weights_sha256
from convert.source.graphs import GRAPHS, check_model
from sdk.charset import Charset
from training.config import ModelConfig

__all__ = ["TrainedRun", "merge", "open_run", "owners", "run_record"]

# Keys taken from a run's record; its command line would name folders of the machine.
_RECORDED = (
    "kind",
    "init_from",
    "step",
    "seconds",
    "samples",
    "shards",
    "parameters",
    "validation",
    "backend",
)


@dataclass(frozen=True)
class TrainedRun:
    """A run to export from.

    Attributes:
        name: Name of its folder.
        charset: Characters of its recognizers.
        models: Its Keras models by graph name.
        record: Record of its training.
        config: Configuration of the models; required for tuning.
    """

    name: str
    charset: Charset
    models: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)
    config: ModelConfig | None = None


def open_run(folder: Path) -> TrainedRun:
    """Return the run in a folder, with averaged weights.

    Raises:
        ConvertError: The folder is not a run, or holds no weights.
    """
    from training.errors import TrainingError
    from training.runs.folder import load_run

    try:
        run = load_run(folder)
    except TrainingError as error:
        raise ConvertError(str(error)) from error
    record = {key: _finite(run.record[key]) for key in _RECORDED if key in run.record}
    config = run.config.model
    name = folder.resolve().name
    return TrainedRun(name, Charset(config.charset), dict(run.models), record, config)


def _finite(value: Any) -> Any:
    """Return a JSON value with null for numbers that are not finite, such as a diverged loss."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def owners(sources: Sequence[TrainedRun]) -> dict[str, TrainedRun]:
    """Return, for each graph, the last run that has it.

    Raises:
        ConvertError: A model violates the contract of its graph, or has an unknown name.
    """
    found = {}
    for source in sources:
        for name, model in source.models.items():
            if name not in GRAPHS:
                raise ConvertError(f"{source.name} has a model {name!r}; known: {sorted(GRAPHS)}.")
            check_model(model, GRAPHS[name])
            found[name] = source
    return found


def merge(
    sources: Sequence[TrainedRun], graphs: Sequence[str] = (), adopted: Container[str] = ()
) -> tuple[dict[str, Any], Charset]:
    """Return the models of all runs by graph name, checked, and their common charset.

    Args:
        sources: Runs.
        graphs: Names of the graphs to take; empty for all.
        adopted: Names of the graphs that are copied from another bundle.

    Raises:
        ConvertError: The runs differ in charset, violate a contract, or lack the line graph or a
            graph in ``graphs``.
    """
    for source in sources:
        if source.charset != sources[0].charset:
            raise ConvertError(
                f"{sources[0].name} and {source.name} have different charsets; one bundle has one."
            )
    models = {name: source.models[name] for name, source in owners(sources).items()}
    missing = [name for name in graphs if name not in models]
    if missing:
        raise ConvertError(f"The runs have no {', '.join(missing)}; they have {sorted(models)}.")
    models = {name: model for name, model in models.items() if name in (graphs or GRAPHS)}
    if "line" not in models and "line" not in adopted:
        raise ConvertError(
            f"No line graph in {', '.join(s.name for s in sources) or 'no run'}: every bundle "
            'needs one. Add a run of model.kind = "line".'
        )
    if "recognizer" in models:
        channels = models["recognizer"].inputs[0].shape[-1]
        features = models["detector"].output["features"].shape[-1] if "detector" in models else None
        if features != channels:
            raise ConvertError(
                f"The recognizer takes {channels} feature channels, the detector gives {features}: "
                "both must come from the same run."
            )
    return models, sources[0].charset


def run_record(source: TrainedRun, models: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's entry in a recipe: name, digests of its graphs in use, and training."""
    graphs = {
        name: weights_sha256(model)
        for name, model in source.models.items()
        if models.get(name) is model
    }
    return {"name": source.name, "weights_sha256": graphs, **source.record}
