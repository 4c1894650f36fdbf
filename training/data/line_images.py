"""Batches of text line images, "strips", from shards and labeled folders.

Strips are kept encoded in memory and decoded when a batch needs them. The batch of a step depends
only on the seed, the step and the shards known, so a resumed run sees what an uninterrupted one
would have seen.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import cv2
import numpy as np

from sdk.charset import Charset
from sdk.recognize.crops import COLUMN_PX
from sdk.rectify.crop import CROP_HEIGHT
from training.config import DataConfig
from training.data.augment import change_tones, place_strip, soften
from training.data.dataset import Part, draw
from training.data.shards import decode_picture, picture_size
from training.errors import TrainingError

__all__ = ["StripBatches", "Strips", "columns_needed", "pack_labels", "strip_frames"]

_log = logging.getLogger("training")


def columns_needed(labels: np.ndarray) -> int:
    """Return the fewest columns CTC can write labels in: a repeat needs a blank between."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def pack_labels(
    columns: Sequence[int], labels: Sequence[np.ndarray], case_blind: Sequence[bool] = ()
) -> np.ndarray:
    """Return targets of ``losses.CtcLoss``.

    Args:
        columns: Valid logit columns of each line, 0 for a line that does not count.
        labels: Class numbers of each line.
        case_blind: Whether each label, in upper case, leaves the case open; none does if empty.

    Returns:
        int32 (N, 3 + L), L a multiple of 16 so that few shapes have to be compiled.
    """
    longest = max((len(x) for x in labels), default=0)
    packed = np.zeros((len(labels), 3 + max(16, -(-longest // 16) * 16)), np.int32)
    for row, width, text in zip(packed, columns, labels, strict=True):
        row[0], row[1] = width, len(text)
        row[3 : 3 + len(text)] = text
    if len(case_blind):
        packed[:, 2] = case_blind
    return packed


class Strips:
    """The strips of some data: encoded pictures of one line of any height, and their labels.

    Attributes:
        texts: Label of each strip.
        case_blind: Whether each label leaves the case open.
        widths: int32 (n,), pixels.
        needed: int32 (n,), fewest pixels its label can be read from.
        weights: float64 (n,), how often each is drawn beside the others.
        skipped: Number of strips left out: they or their labels do not fit the widest frame.
    """

    def __init__(self, charset: Charset, widest: int) -> None:
        """Start without strips.

        Args:
            charset: Of the labels.
            widest: Widest frame in px; wider strips are squeezed into it.
        """
        self._charset = charset
        self._widest = widest
        self._data: list[bytes] = []
        self._labels: list[np.ndarray] = []
        self._names: list[str] = []
        self.texts: list[str] = []
        self.case_blind: list[bool] = []
        self.weights = np.zeros(0, np.float64)
        self.widths = np.zeros(0, np.int32)
        self.needed = np.zeros(0, np.int32)
        self.skipped = 0

    def __len__(self) -> int:
        """Return the number of strips."""
        return len(self._data)

    def add(self, part: Part, weight: float = 1.0) -> None:
        """Add the strips of a part of the data.

        Args:
            part: What to read.
            weight: How often its strips are drawn beside others.

        Raises:
            TrainingError: A record is no picture of one line, or its label is outside the charset.
            ShardError: The shard is damaged.
        """
        widths, needed = [], []
        for data, record in part.samples():
            name = f"{part.name}: {record['image']}"
            if "text" not in record:
                raise TrainingError(
                    f"{name} is no line strip (it has no 'text'). Give a folder of lines."
                )
            case_blind = record.get("case") is False
            text = record["text"].upper() if case_blind else record["text"]
            try:
                labels = self._charset.encode(text)
            except ValueError as error:
                raise TrainingError(f"{name}: {error}") from error
            width, height = picture_size(data, name)
            width = max(1, round(width * CROP_HEIGHT / height))
            least = COLUMN_PX * columns_needed(labels)
            # squeezed further, characters would get narrower than any the reader will meet
            if not len(labels) or least > self._widest or width > 1.35 * self._widest:
                self.skipped += 1
                continue
            self._data.append(data)
            self._labels.append(labels)
            self._names.append(name)
            self.texts.append(text)
            self.case_blind.append(case_blind)
            widths.append(width)
            needed.append(least)
        self.weights = np.concatenate([self.weights, np.full(len(widths), weight)])
        self.widths = np.concatenate([self.widths, np.array(widths, np.int32)])
        self.needed = np.concatenate([self.needed, np.array(needed, np.int32)])

    def picture(self, index: int) -> np.ndarray:
        """Return uint8 RGB (32, w, 3)."""
        picture = decode_picture(self._data[index], self._names[index])
        if picture.shape[0] == CROP_HEIGHT:
            return picture
        size = int(self.widths[index]), CROP_HEIGHT
        smaller = picture.shape[0] > CROP_HEIGHT
        return cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        )

    def labels(self, index: int) -> np.ndarray:
        """Return int32 class numbers."""
        return self._labels[index]


class StripBatches:
    """Training batches by step: ``{"strip": uint8 (N, 32, W, 3)}`` and CTC targets.

    All strips of a batch share one frame width; narrow frames hold more strips.
    """

    def __init__(self, strips: Strips, config: DataConfig, seed: int) -> None:
        """Remember what batches are made of; call `refresh` when strips were added."""
        self._strips = strips
        self._config = config
        self._seed = seed
        self.refresh()

    def refresh(self) -> None:
        """Sort the strips into frames again.

        Raises:
            TrainingError: There is no strip to train on.
        """
        edges = np.array(self._config.buckets)
        if not len(self._strips):
            raise TrainingError("The training data hold no strip whose label fits its picture.")
        if self._strips.skipped:
            _log.info("%d strips left out, longer than data.buckets", self._strips.skipped)
        wanted = np.maximum(self._strips.widths, self._strips.needed)
        frame = np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)
        self._members = [np.flatnonzero(frame == i) for i in range(len(edges))]
        self._cumulative = [np.cumsum(self._strips.weights[m]) for m in self._members]

    def batch(self, step: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return inputs and CTC targets (N, 3 + L) of a step."""
        rng = np.random.default_rng((self._seed, step))
        config = self._config
        sizes = np.array([c[-1] if len(c) else 0.0 for c in self._cumulative])
        if step < config.curriculum_steps:
            early = np.where(np.array(config.buckets) <= config.curriculum_width, sizes, 0)
            sizes = early if early.sum() else sizes
        count = np.array([self.batch_size(b) for b in config.buckets])
        # frames are drawn so that each strip is seen as often as its weight says
        share = sizes / count
        bucket = int(rng.choice(len(sizes), p=share / share.sum()))
        frame = config.buckets[bucket]
        chosen = self._members[bucket][draw(rng, self._cumulative[bucket], count[bucket])]
        return self._make(chosen, frame, rng)

    def batch_size(self, frame: int) -> int:
        """Return the number of strips of a batch with frames of so many px."""
        return int(np.clip(self._config.columns // frame, 1, self._config.max_batch))

    def _make(
        self, chosen: np.ndarray, frame: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        pictures = np.empty((len(chosen), CROP_HEIGHT, frame, 3), np.uint8)
        columns = []
        least, most = self._config.stretch
        for row, i in enumerate(chosen):
            width = round(float(self._strips.widths[i]) * rng.uniform(least, most))
            width = min(max(width, int(self._strips.needed[i])), frame)
            strip = place_strip(self._strips.picture(i), rng, width, frame, still=False)
            pictures[row] = soften(change_tones(strip, rng), rng)
            columns.append(-(-width // COLUMN_PX))
        labels = [self._strips.labels(i) for i in chosen]
        blind = [self._strips.case_blind[i] for i in chosen]
        return {"strip": pictures}, pack_labels(columns, labels, blind)


def strip_frames(
    strips: Strips, config: DataConfig, limit: int
) -> list[tuple[np.ndarray, list[int], list[str]]]:
    """Return unchanged strips for validation, in frames of the configured widths.

    Args:
        strips: Held-back strips.
        config: Frame widths.
        limit: Most strips taken, spread evenly over all.

    Returns:
        Triples of uint8 pictures (N, 32, W, 3), valid logit columns and texts.
    """
    rng = np.random.default_rng(0)
    chosen = np.unique(np.linspace(0, len(strips) - 1, min(limit, len(strips))).astype(int))
    widths = np.minimum(np.maximum(strips.widths, strips.needed)[chosen], config.buckets[-1])
    frames = np.array(config.buckets)[np.searchsorted(config.buckets, widths)]
    groups = []
    for frame in np.unique(frames):
        picked = np.flatnonzero(frames == frame)
        pictures = np.stack(
            [
                place_strip(strips.picture(chosen[k]), rng, int(widths[k]), int(frame), still=True)
                for k in picked
            ]
        )
        columns = [-(-int(widths[k]) // COLUMN_PX) for k in picked]
        groups.append((pictures, columns, [strips.texts[chosen[k]] for k in picked]))
    return groups
