"""Measures of detection and reading, on shards and on labelled folders.

Labeled folders (`training.data.labels`) hold the rows that shards hold as records: ``"text"`` for
pictures of one line, ``"texts"`` with quads for photos.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sdk.charset import Charset
from sdk.geometry import iou
from sdk.image.load import load_image
from sdk.metrics import (
    Score,
    character_error_rate,
    detection,
    end_to_end,
    exact_share,
    letters_and_digits,
)
from training.config import Config
from training.errors import TrainingError
from training.data.labels import LABELS, NO_LABEL, is_label, read_labeled
from training.data.photos import Crop
from training.evaluate.reading import Line, find_lines, find_maps, read_quads
from training.data.shards import list_shards, read_shard

__all__ = [
    "BundleReader",
    "PictureReader",
    "Sample",
    "evaluate",
    "evaluate_photos",
    "find_sets",
    "read_samples",
    "score_lines",
]

Sample = tuple[np.ndarray, dict[str, Any]]


class PictureReader(Protocol):
    """What is measured."""

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""

    def page(self, image: np.ndarray) -> list[Line]:
        """Return the lines of a photo, uint8 (H, W, 3)."""


class BundleReader:
    """Reads pictures with an exported bundle, as users do."""

    def __init__(
        self,
        bundle: Path | str,
        min_confidence: float | None = None,
        threads: int | None = None,
    ) -> None:
        """Open the bundle.

        Args:
            bundle: Its folder.
            min_confidence: Lines of photos less sure than this are left out; None takes the
                bundle's own bound.
            threads: CPU threads; None takes the SDK's default.

        Raises:
            SdkError: The bundle cannot be used.
        """
        from sdk import Reader

        self._reader: Any = Reader(str(bundle), threads=threads)
        self._min_confidence = min_confidence

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""
        return _line(self._reader.read_line(image))

    def page(self, image: np.ndarray) -> list[Line]:
        """Return the lines of a photo, uint8 (H, W, 3)."""
        lines = self._reader.read(image, min_confidence=self._min_confidence)
        return [_line(t) for t in lines]

    def close(self) -> None:
        """Free the model."""
        self._reader.close()


def _line(read: Any) -> Line:
    quad = np.array(read.quad, np.float32)
    return Line(read.text, quad, read.confidence, tuple(c.confidence for c in read.chars))


def score_lines(want: Sequence[str], got: Sequence[str]) -> dict[str, float]:
    """Return how well lines were read.

    Returns:
        ``lines``: their number; ``exact``: share read character by character; ``exact_norm``: the
        same with letters and digits only, upper-cased; ``cer_norm``: edits by label characters,
        likewise.
    """
    pairs = list(zip(want, got, strict=True))
    plain = [(letters_and_digits(a), letters_and_digits(b)) for a, b in pairs]
    return {
        "lines": float(len(pairs)),
        "exact": exact_share(pairs),
        "exact_norm": exact_share(plain),
        "cer_norm": character_error_rate(plain),
    }


def _score_pages(found: Score, both: Score) -> dict[str, float]:
    return {
        "precision": found.precision,
        "recall": found.recall,
        "hmean": found.hmean,
        "e2e": both.hmean,
    }


def evaluate_photos(
    parts: dict[str, Any], photos: Iterable[Crop], config: Config
) -> dict[str, float]:
    """Return how well lines were found, read where found, and read in their true boxes.

    Args:
        parts: ``detector``, and ``recognizer`` if lines are read, too.
        photos: Photos in their own size.
        config: Of the run.

    Returns:
        ``precision``, ``recall``, ``hmean`` of detection, ``upright``, the share of lines found
        whose direction is less than 45 degrees off; with a recognizer ``e2e`` (harmonic mean of
        lines found and read), and `score_lines` for reading in the true boxes.
    """
    charset, columns = Charset(config.model.charset), config.model.recognizer.columns
    recognizer = parts.get("recognizer")
    want: list[str] = []
    got: list[str] = []
    right: list[bool] = []
    found, both = Score(), Score()
    for photo in photos:
        maps = find_maps(parts["detector"], photo.image)
        ignored = photo.ignored.tolist()
        quads = find_lines(maps).quads
        found += detection(quads, photo.quads, ignored)
        right += _directions(quads, photo.quads)
        if recognizer is None:
            continue
        texts = read_quads(recognizer, maps["features"], quads, columns, charset)
        both += end_to_end(quads, texts, photo.quads, photo.texts, ignored)
        kept = np.flatnonzero(~photo.ignored)
        want += [photo.texts[i] for i in kept]
        got += read_quads(recognizer, maps["features"], photo.quads[kept], columns, charset)
    measures = {
        "precision": found.precision,
        "recall": found.recall,
        "hmean": found.hmean,
        "upright": float(np.mean(right)) if right else 0.0,
    }
    if recognizer is None:
        return measures
    return {**score_lines(want, got), **measures, "e2e": both.hmean}


def _directions(quads: np.ndarray, truth: np.ndarray) -> list[bool]:
    """Tell of each true box that was found whether its reading direction was found, too."""
    right = []
    for quad in truth:
        overlaps = [iou(found, quad) for found in quads]
        if overlaps and max(overlaps) >= 0.5:
            best = quads[int(np.argmax(overlaps))]
            have, want = best[1] - best[0], quad[1] - quad[0]
            cosine = have @ want / max(float(np.linalg.norm(have) * np.linalg.norm(want)), 1e-6)
            right.append(bool(cosine > np.sqrt(0.5)))
    return right


def find_sets(folder: Path | str, only: str = "") -> list[Path]:
    """Return the sets in a folder: itself, or its subfolders with shards or labels.

    Args:
        folder: Where to look.
        only: Names of the sets wanted, by commas; all if empty.

    Raises:
        TrainingError: There is none, or one of the names is missing.
    """
    folder = Path(folder)

    def is_set(path: Path) -> bool:
        return (path / LABELS).exists() or any(path.glob("shard-*.tar"))

    subfolders = folder.glob("*")
    sets = [folder] if is_set(folder) else sorted(p for p in subfolders if p.is_dir() and is_set(p))
    if not sets:
        raise TrainingError(
            f"Nothing to evaluate on in {folder}: found neither labels.jsonl nor shard-*.tar, "
            "there or one folder below."
        )
    names = only.split(",") if only else [path.name for path in sets]
    missing = sorted(set(names) - {path.name for path in sets})
    if missing:
        raise TrainingError(
            f"{folder} holds no set {', '.join(missing)}. "
            f"It holds: {', '.join(path.name for path in sets)}."
        )
    return [path for path in sets if path.name in names]


def read_samples(folder: Path) -> Iterator[Sample]:
    """Yield (uint8 RGB picture, record) of shards or of a labelled folder, in order.

    Raises:
        TrainingError: A row of labels is damaged, or no label of a line or a photo.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read.
    """
    if not (folder / LABELS).exists():
        for path in list_shards(folder):
            for image, record in read_shard(path):
                if not is_label(record):
                    raise TrainingError(f"{path}: {record['image']} {NO_LABEL}")
                yield image, record
        return
    for picture, record in read_labeled(folder):
        yield load_image(picture), record


def evaluate(reader: PictureReader, folder: Path, limit: int | None = None) -> dict[str, float]:
    """Return the measures of one set, of lines or of photos.

    Args:
        reader: What is measured.
        folder: Shards or a labelled folder.
        limit: Most pictures.

    Raises:
        TrainingError: A row of labels is damaged.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read.
    """
    want: list[str] = []
    got: list[str] = []
    found, both = Score(), Score()
    for count, (image, record) in enumerate(read_samples(folder)):
        if limit is not None and count >= limit:
            break
        if "text" in record:
            want.append(record["text"])
            got.append(reader.line(image).text)
            continue
        lines = [t for t in record["texts"] if t["quad"]]
        ignored = [bool(t.get("ignore")) for t in lines]
        quads = np.array([t["quad"] for t in lines], np.float32).reshape(-1, 4, 2)
        read = reader.page(image)
        boxes = np.array([line.quad for line in read], np.float32).reshape(-1, 4, 2)
        found += detection(boxes, quads, ignored)
        texts = [line.text for line in read]
        both += end_to_end(boxes, texts, quads, [t["text"] for t in lines], ignored)
    result = score_lines(want, got) if want else {}
    if found.wanted or found.found:
        result.update(_score_pages(found, both))
    return result
