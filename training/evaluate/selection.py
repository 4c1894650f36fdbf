"""Selection of the line images from which a network can still learn.

Generated pictures are degraded by chance: some show nothing that can be read, and most are read
already. The measure is the negative log likelihood of the label, by character, under a trained line
network. Lines above a bound are left out, since a network that is trained on illegible pictures
learns to guess; of the lines that are read surely, a part is kept (hard-example mining).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.recognize.crops import COLUMN_PX
from sdk.recognize.ctc import log_probabilities
from sdk.recognize.forward import text_log_probabilities
from sdk.rectify.crop import pad_crops, scale_crop
from training.data.shards import decode_picture, list_shards, read_encoded, write_encoded
from training.errors import TrainingError

__all__ = ["Selection", "label_losses", "select_shards"]

_log = logging.getLogger("training")

_GRID = 32
_BATCH = 64

Sample = tuple[bytes, dict[str, Any]]


@dataclass(frozen=True)
class Selection:
    """Which lines are kept, by the loss of their labels in nats a character.

    Attributes:
        most: Greatest loss; lines above are left out.
        sure: Loss below which a line is read surely.
        keep: Share of the surely read lines that is kept, 0 to 1.
    """

    most: float
    sure: float
    keep: float

    def keeps(self, losses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return whether each line is kept, bool (n,)."""
        chosen = rng.random(len(losses)) < self.keep
        return np.asarray((losses <= self.most) & ((losses > self.sure) | chosen))


def label_losses(
    model: Any, charset: Charset, widest: int, samples: Sequence[Sample]
) -> np.ndarray:
    """Return the loss of each label in nats a character, float64 (n,).

    The loss is infinite where the label does not fit: a picture wider than ``widest``, a character
    that the network does not know, more characters than columns.

    Args:
        model: A line network.
        charset: Characters of its classes.
        widest: Greatest width of a line image in px at a height of 32 px.
        samples: Encoded line images with their records.
    """
    losses = np.full(len(samples), np.inf)
    lines, labels = {}, {}
    for number, (picture, record) in enumerate(samples):
        if not record["text"] or any(c not in charset for c in record["text"]):
            continue
        line = scale_crop(decode_picture(picture, record["image"]), 2 * widest)
        if line.shape[1] <= widest:
            lines[number], labels[number] = line, charset.encode(record["text"]).tolist()
    for number, logits in _read(model, lines):
        likelihood = text_log_probabilities([log_probabilities(logits)], [labels[number]])
        losses[number] = -likelihood[0, 0] / len(labels[number])
    return losses


def _read(model: Any, lines: Mapping[int, np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number and the logits (columns, classes) of each line, in batches of one width."""
    frames: dict[int, list[int]] = {}
    for number, line in lines.items():
        frames.setdefault(-(-line.shape[1] // _GRID) * _GRID, []).append(number)
    for frame, numbers in frames.items():
        for batch in (numbers[i : i + _BATCH] for i in range(0, len(numbers), _BATCH)):
            images = pad_crops([lines[number] for number in batch], frame)
            logits = np.asarray(model.predict_on_batch(images), np.float32)[:, 0]
            for number, row in zip(batch, logits, strict=True):
                yield number, row[: -(-lines[number].shape[1] // COLUMN_PX)]


def select_shards(
    model: Any, charset: Charset, widest: int, folder: Path, out: Path, selection: Selection
) -> dict[str, int]:
    """Write the kept lines of each shard to a shard of the same name; shards that exist are kept.

    Args:
        model: A line network.
        charset: Characters of its classes.
        widest: Greatest width of a line image in px at a height of 32 px.
        folder: Folder of shards of line images.
        out: Folder to write.
        selection: Which lines are kept.

    Returns:
        Number of lines read, left out and kept.

    Raises:
        TrainingError: Both folders are the same, or a shard holds photos.
        ShardError: A shard is damaged, or cannot be written.
    """
    if out.resolve() == folder.resolve():
        raise TrainingError(f"{out} holds the shards to select from. Choose another --out.")
    count = {"lines": 0, "too_hard": 0, "kept": 0}
    for path in list_shards(folder):
        if (out / path.name).exists():
            continue
        samples = list(_lines(path))
        losses = label_losses(model, charset, widest, samples)
        # the same shard gives the same choice, whatever was done before
        kept = selection.keeps(losses, np.random.default_rng(len(samples)))
        chosen = [sample for sample, keep in zip(samples, kept, strict=True) if keep]
        if chosen:
            write_encoded(out / path.name, chosen)
        else:
            _log.info("%s: no line is kept", path)
        count["lines"] += len(samples)
        count["too_hard"] += int((losses > selection.most).sum())
        count["kept"] += len(chosen)
        _log.info("%s: %d of %d lines kept", path, len(chosen), len(samples))
    return count


def _lines(path: Path) -> Iterator[Sample]:
    for picture, record in read_encoded(path):
        if "text" not in record:
            raise TrainingError(
                f"{path}: {record['image']} is a photo. Lines are selected: "
                "generate them with --kind line."
            )
        yield picture, record
