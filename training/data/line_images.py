"""Batches of text line images from shards and labeled folders.

Line images stay encoded in memory until a batch needs them. The batch of a step depends only on the
seed, the step and the known shards, so a resumed run sees the batches of an uninterrupted run. Each
row depends on its number too, and on no other row, so several processes can make a batch together.
If the data are divided, each process keeps the pictures of its samples only, and draws its rows
from them; the labels and sizes of all samples are known to all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from sdk.charset import Charset
from sdk.recognize.crops import COLUMN_PX
from sdk.rectify.crop import CROP_HEIGHT
from training.config import DataConfig
from training.data.augment import change_tones, place_line, soften
from training.data.dataset import Part, draw
from training.data.labels import LABELS, has_text
from training.data.photo_lines import line_samples
from training.data.shards import decode_picture, picture_size
from training.data.share import WHOLE, Share, row_generator
from training.errors import TrainingError

__all__ = ["LineBatches", "LineImages", "columns_needed", "pack_labels", "validation_frames"]

_log = logging.getLogger("training")


def columns_needed(labels: np.ndarray) -> int:
    """Return the fewest columns for CTC: labels, and a blank between equal neighbors."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def pack_labels(
    columns: Sequence[int],
    labels: Sequence[np.ndarray],
    case_blind: Sequence[bool] = (),
    longest: int | None = None,
) -> np.ndarray:
    """Return targets of ``losses.CtcLoss``.

    Args:
        columns: Valid logit columns of each line, 0 for a line without weight in the loss.
        labels: Class numbers of each line.
        case_blind: Whether each label, in upper case, stands for both cases; if empty, none does.
        longest: Length of the longest label of the whole batch; None if all labels are given.

    Returns:
        int32 (N, 3 + L), L a multiple of 16: few shapes are compiled.
    """
    if longest is None:
        longest = max((len(x) for x in labels), default=0)
    packed = np.zeros((len(labels), 3 + max(16, -(-longest // 16) * 16)), np.int32)
    for row, width, text in zip(packed, columns, labels, strict=True):
        row[0], row[1] = width, len(text)
        row[3 : 3 + len(text)] = text
    if len(case_blind):
        packed[:, 2] = case_blind
    return packed


class LineImages:
    """Encoded line images of any height, with their labels.

    Attributes:
        texts: Label of each line image.
        case_blind: Whether each label stands for both cases.
        widths: int32 (n,), width in px at a height of 32 px.
        needed: int32 (n,), least width in px from which CTC can read the label.
        weights: float64 (n,), relative frequency of each line image in the batches.
        skipped: Number of line images left out because they or their labels do not fit the widest
            frame.
        foreign: Number of lines of shards and of photos left out because the charset lacks a
            character of theirs.
        unlabeled: Number of line images left out because they have no text.
    """

    def __init__(self, charset: Charset, widest: int, kept: Share = WHOLE) -> None:
        """Create an empty collection.

        Args:
            charset: Charset of the labels.
            widest: Widest frame in px; wider line images are squeezed into this width.
            kept: Whose pictures are kept; the other pictures cannot be drawn by this process.
        """
        self.kept = kept
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
        self.foreign = 0
        self.unlabeled = 0

    def __len__(self) -> int:
        """Return the number of line images."""
        return len(self._data)

    def add(self, part: Part, weight: float = 1.0) -> None:
        """Add the line images of a part of the data.

        Args:
            part: The part to read.
            weight: Relative frequency of its line images in the batches.

        Raises:
            TrainingError: A record is not a line image, or the label of a line image in a labeled
                folder holds a character outside the charset.
            ShardError: The shard is damaged.
        """
        widths, needed = [], []
        for data, record in self._lines(part):
            name = f"{part.name}: {record['image']}"
            if not has_text(record):
                self.unlabeled += 1
                continue
            case_blind = record.get("case") is False
            text = record["text"].upper() if case_blind else record["text"]
            try:
                labels = self._charset.encode(text)
            except ValueError as error:
                raise TrainingError(f"{name}: {error}") from error
            width, height = picture_size(data, name)
            width = max(1, round(width * CROP_HEIGHT / height))
            least = COLUMN_PX * columns_needed(labels)
            # more squeezing would make characters narrower than any that the reader meets
            if least > self._widest or width > 1.35 * self._widest:
                self.skipped += 1
                continue
            self._data.append(data if self.kept.owns(len(self._data)) else b"")
            self._labels.append(labels)
            self._names.append(name)
            self.texts.append(text)
            self.case_blind.append(case_blind)
            widths.append(width)
            needed.append(least)
        self.weights = np.concatenate([self.weights, np.full(len(widths), weight)])
        self.widths = np.concatenate([self.widths, np.array(widths, np.int32)])
        self.needed = np.concatenate([self.needed, np.array(needed, np.int32)])

    def _lines(self, part: Part) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield the line images of a part, without lines of others with further characters."""
        for data, record in part.samples():
            # who generates lines or labels photos, a teacher above all, does not know the charset
            is_general = part.file != LABELS or "texts" in record
            for line in line_samples(data, record, f"{part.name}: {record['image']}"):
                text = line[1].get("text") or ""
                if is_general and not all(c in self._charset for c in text):
                    self.foreign += 1
                else:
                    yield line

    def picture(self, index: int) -> np.ndarray:
        """Return a line image, uint8 RGB (32, w, 3)."""
        picture = decode_picture(self._data[index], self._names[index])
        if picture.shape[0] == CROP_HEIGHT:
            return picture
        size = int(self.widths[index]), CROP_HEIGHT
        smaller = picture.shape[0] > CROP_HEIGHT
        return cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        )

    def labels(self, index: int) -> np.ndarray:
        """Return the class numbers of a label, int32."""
        return self._labels[index]


class LineBatches:
    """Training batches by step: ``{"strip": uint8 (N, 32, W, 3)}`` and CTC targets.

    ``"strip"`` is the name of the network's input. All line images of a batch share one frame
    width; batches of narrow frames hold more of them.
    """

    def __init__(self, images: LineImages, config: DataConfig, seed: int) -> None:
        """Create the batches; call `refresh` after adding line images.

        Args:
            images: Line images to train on.
            config: Frame widths, batch size, curriculum and augmentation.
            seed: Seed of the batches.

        Raises:
            TrainingError: There is no line image to train on.
        """
        self._images = images
        self._config = config
        self._seed = seed
        self.refresh()

    def refresh(self) -> None:
        """Sort the line images into frame widths again.

        Raises:
            TrainingError: There is no line image to train on.
        """
        if not len(self._images):
            raise TrainingError(
                "The training data hold no line image whose label fits its picture and the charset."
            )
        if self._images.foreign:
            _log.info(
                "%d lines of shards and photos left out, with characters outside the charset",
                self._images.foreign,
            )
        if self._images.skipped:
            _log.info("%d line images left out, wider than data.buckets", self._images.skipped)
        if self._images.unlabeled:
            _log.info("%d line images left out, without a text", self._images.unlabeled)
        least, most = self._config.stretch
        # least and greatest width in px of each line image in the batches
        self._low = np.maximum(self._images.widths * least, self._images.needed)
        self._high = np.maximum(self._images.widths * most, self._low)
        world = self._images.kept.world
        owner = np.arange(len(self._images)) % world
        self._members, self._cumulative = [], []
        for share in self._shares():
            # of each process that keeps pictures
            members = [np.flatnonzero((share > 0) & (owner == rank)) for rank in range(world)]
            # a width of which a process has none cannot be drawn
            members = members if all(map(len, members)) else []
            self._members.append(members)
            self._cumulative.append(
                [np.cumsum((self._images.weights * share)[of_rank]) for of_rank in members]
            )
        if not any(self._members):
            raise TrainingError(
                f"{len(self._images)} line images cannot be divided among {world} processes. Set "
                "data.divide = false, or train with fewer processes."
            )

    def _shares(self) -> Iterator[np.ndarray]:
        """Yield for each frame width the share of each line image's widths that it holds."""
        edges = [0, *self._config.buckets]
        for narrower, frame in pairwise(edges):
            # the widest frame holds all that is wider, squeezed
            top = np.inf if frame == edges[-1] else frame
            inside = np.minimum(self._high, top) - np.maximum(self._low, narrower)
            only = (self._low > narrower) & (self._low <= top)
            span = self._high - self._low
            yield np.where(span > 0, np.maximum(inside, 0) / np.maximum(span, 1e-9), only)

    @property
    def batch_sizes(self) -> list[int]:
        """The numbers of line images of all batches that can be drawn."""
        return [
            self.batch_size(frame)
            for frame, members in zip(self._config.buckets, self._members, strict=True)
            if len(members)
        ]

    def batch(self, step: int, share: Share = WHOLE) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return a process's share of the inputs and CTC targets (N, 3 + L) of a step."""
        rng = np.random.default_rng((self._seed, step))
        config = self._config
        sizes = np.array([sum(of_rank[-1] for of_rank in c) for c in self._cumulative])
        if step < config.curriculum_steps:
            early = np.where(np.array(config.buckets) <= config.curriculum_width, sizes, 0)
            sizes = early if early.sum() else sizes
        count = np.array([self.batch_size(b) for b in config.buckets])
        # the frame's probability gives each line image the frequency of its weight
        frequency = sizes / count
        bucket = int(rng.choice(len(sizes), p=frequency / frequency.sum()))
        rngs = [row_generator(self._seed, step, row) for row in range(count[bucket])]
        # all rows are drawn: the longest label decides the shape that all processes must share
        owners = np.arange(len(rngs)) * self._images.kept.world // len(rngs)
        chosen = [
            int(self._members[bucket][k][draw(each, self._cumulative[bucket][k], 1)[0]])
            for each, k in zip(rngs, owners, strict=True)
        ]
        longest = max(len(self._images.labels(i)) for i in chosen)
        mine = [(chosen[row], rngs[row]) for row in share.rows(len(chosen))]
        return self._make(mine, bucket, longest)

    def batch_size(self, frame: int) -> int:
        """Return the number of line images in a batch of a frame width in px."""
        size = int(np.clip(self._config.columns // frame, 1, self._config.max_batch))
        return -(-size // self._config.batch_multiple) * self._config.batch_multiple

    def _make(
        self, rows: Sequence[tuple[int, np.random.Generator]], bucket: int, longest: int
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        narrower, frame = [0, *self._config.buckets][bucket : bucket + 2]
        last = bucket == len(self._config.buckets) - 1
        pictures = np.empty((len(rows), CROP_HEIGHT, frame, 3), np.uint8)
        columns = []
        for row, (i, rng) in enumerate(rows):
            most = self._high[i] if last else min(self._high[i], frame)
            width = min(round(rng.uniform(max(self._low[i], narrower), most)), frame)
            placed = place_line(self._images.picture(i), rng, width, frame, still=False)
            pictures[row] = soften(change_tones(placed, rng), rng)
            columns.append(-(-width // COLUMN_PX))
        labels = [self._images.labels(i) for i, _ in rows]
        blind = [self._images.case_blind[i] for i, _ in rows]
        return {"strip": pictures}, pack_labels(columns, labels, blind, longest)


def validation_frames(
    images: LineImages, config: DataConfig, limit: int
) -> list[tuple[np.ndarray, list[int], list[str]]]:
    """Return line images for validation, without augmentation, in frames of the configured widths.

    Args:
        images: Held-back line images.
        config: Frame widths.
        limit: Greatest number of line images; they are spread evenly over all.

    Returns:
        Triples of uint8 pictures (N, 32, W, 3), valid logit columns and texts.
    """
    rng = np.random.default_rng(0)
    chosen = np.unique(np.linspace(0, len(images) - 1, min(limit, len(images))).astype(int))
    widths = np.minimum(np.maximum(images.widths, images.needed)[chosen], config.buckets[-1])
    frames = np.array(config.buckets)[np.searchsorted(config.buckets, widths)]
    groups = []
    for frame in np.unique(frames):
        picked = np.flatnonzero(frames == frame)
        pictures = np.stack(
            [
                place_line(images.picture(chosen[k]), rng, int(widths[k]), int(frame), still=True)
                for k in picked
            ]
        )
        columns = [-(-int(widths[k]) // COLUMN_PX) for k in picked]
        groups.append((pictures, columns, [images.texts[chosen[k]] for k in picked]))
    return groups
