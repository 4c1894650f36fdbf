"""A run's averaged weights in half precision, small enough for a repository.

The result is a run folder: it can be evaluated, exported, averaged and used in ``train.init_from``,
but not resumed. Half precision rounds weights by one part in two thousand; a bundle's int8 weights
are rounded sixteen times as much, and their batch normalization is folded.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from sdk.files import write_atomically
from training.errors import TrainingError

__all__ = ["pack_run"]


def pack_run(source: Path | str, folder: Path | str) -> None:
    """Write configuration, record and averaged weights of a run, the weights in float16.

    Args:
        source: Run folder.
        folder: Folder to write; its files are replaced.

    Raises:
        TrainingError: The source is not a run with weights, or the folder cannot be written.
    """
    import h5py

    from training.runs.folder import AVERAGED, CONFIG, RECORD

    source, folder = Path(source), Path(folder)
    if not (source / AVERAGED).exists():
        raise TrainingError(f"{source} holds no {AVERAGED}: it is not a run, or has no checkpoint.")
    temporary = folder / f".{AVERAGED}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with h5py.File(source / AVERAGED) as full, h5py.File(temporary, "w") as half:
            _copy(full, half)
        temporary.replace(folder / AVERAGED)
        record = json.loads((source / RECORD).read_text(encoding="utf-8"))
        for entry in (record, *record.get("mean_of", ())):
            if "command" in entry:
                entry["command"] = [_without_folders(word) for word in entry["command"]]
        write_atomically(folder / RECORD, json.dumps(record, indent=1).encode())
        shutil.copyfile(source / CONFIG, folder / CONFIG)
    except OSError as error:
        raise TrainingError(f"Cannot pack {source} into {folder}: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _without_folders(word: str) -> str:
    """Return a word of a command; absolute paths are reduced to their names."""
    return Path(word).name if Path(word).is_absolute() else word


def _copy(source: Any, target: Any) -> None:
    """Copy groups, attributes and data sets, float32 values as float16."""
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if hasattr(item, "items"):  # a group
            _copy(item, target.create_group(name))
            continue
        values = item[()]
        if isinstance(values, np.ndarray) and values.dtype == np.float32:
            limit = np.finfo(np.float16).max
            values = np.clip(values, -limit, limit).astype(np.float16)
            data = target.create_dataset(name, data=values, compression="gzip", shuffle=True)
        else:
            data = target.create_dataset(name, data=values)
        data.attrs.update(item.attrs)
