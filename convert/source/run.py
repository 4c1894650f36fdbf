"""Training runs as the converter sees them."""

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

__all__ = ["Source", "merge", "open_run", "owners", "run_record"]

# Of a run's own record; its command line would tell of the machine it ran on.
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
class Source:
    """A run to export from.

    Attributes:
        name: Its folder's name.
        charset: Characters of its recognizers.
        models: Its Keras models by graph name.
        record: What is known of its training.
        config: What the models were built from; only tuned graphs need it.
    """

    name: str
    charset: Charset
    models: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)
    config: ModelConfig | None = None


def open_run(folder: Path) -> Source:
    """Return the models of a run folder, with their averaged weights.

    Raises:
        ConvertError: The folder is no run, or holds no weights yet.
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
    return Source(name, Charset(config.charset), dict(run.models), record, config)


def _finite(value: Any) -> Any:
    """Return a JSON value without what JSON cannot hold, such as the loss of a diverged run."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def owners(sources: Sequence[Source]) -> dict[str, Source]:
    """Return the run that gives each graph, the last one that has it.

    Raises:
        ConvertError: A model breaks the contract of its graph, or is none.
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
    sources: Sequence[Source], graphs: Sequence[str] = (), adopted: Container[str] = ()
) -> tuple[dict[str, Any], Charset]:
    """Return the models of all runs by graph name, checked, and their common charset.

    Args:
        sources: Runs.
        graphs: Names of the graphs to take; all if empty.
        adopted: Names of the graphs that another bundle gives.

    Raises:
        ConvertError: The runs differ in charset, break a contract, or lack a graph that is asked
            for or the line graph.
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


def run_record(source: Source, models: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipe says of a run: digests of the graphs taken from it, its training."""
    graphs = {
        name: weights_sha256(model)
        for name, model in source.models.items()
        if models.get(name) is model
    }
    return {"name": source.name, "weights_sha256": graphs, **source.record}
