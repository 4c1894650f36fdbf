"""Measures of detection and recognition, on shards and on labeled folders.

Labeled folders (`training.data.labels`) hold the rows that shards hold as records: ``"text"`` for
line images, ``"texts"`` with quads for photos.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.geometry import iou
from sdk.metrics import (
    Score,
    character_error_rate,
    detection,
    end_to_end,
    exact_share,
    letters_and_digits,
)
from training.config import Config
from training.data.photos import Crop
from training.data.sets import read_samples
from training.evaluate.readers import PictureReader
from training.evaluate.reading import LineReading, find_lines, find_maps, read_quads

__all__ = ["evaluate", "evaluate_photos", "measure", "read_sample", "score_lines"]


def score_lines(want: Sequence[str], got: Sequence[str]) -> dict[str, float]:
    """Return the accuracy of read lines.

    Args:
        want: Labels.
        got: Texts read.

    Returns:
        ``lines``: number of lines; ``exact``: share of lines equal to their label; ``exact_norm``:
        the same after upper-casing, letters and digits only; ``cer_norm``: character error rate of
        the same normalized texts.
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
    """Return the measures of detection, end-to-end reading, and reading in the true boxes.

    Args:
        parts: ``detector``, and ``recognizer`` if lines are read too.
        photos: Photos in their own size.
        config: Configuration of the run.

    Returns:
        ``precision``, ``recall`` and ``hmean`` of detection; ``upright``, the share of detected
        lines whose direction is wrong by less than 45 degrees; with a recognizer ``e2e``, the
        harmonic mean of end-to-end precision and recall, and `score_lines` of reading in the true
        boxes.
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
    """Tell, for each detected true box, whether its reading direction is right."""
    right = []
    for quad in truth:
        overlaps = [iou(found, quad) for found in quads]
        if overlaps and max(overlaps) >= 0.5:
            best = quads[int(np.argmax(overlaps))]
            have, want = best[1] - best[0], quad[1] - quad[0]
            cosine = have @ want / max(float(np.linalg.norm(have) * np.linalg.norm(want)), 1e-6)
            right.append(bool(cosine > np.sqrt(0.5)))
    return right


def evaluate(
    reader: PictureReader, folder: Path, limit: int | None = None, split: str = ""
) -> dict[str, float]:
    """Return the measures of one set, of lines or of photos.

    Args:
        reader: Reader to evaluate.
        folder: Shards or a labeled folder.
        limit: Greatest number of pictures.
        split: Part of a labeled folder, see `read_samples`.

    Raises:
        TrainingError: A row of labels is damaged, or the folder has no row of the split.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read.
    """
    samples = islice(read_samples(folder, split), limit)
    return measure((record, read_sample(reader, image, record)) for image, record in samples)


def read_sample(
    reader: PictureReader, image: np.ndarray, record: dict[str, Any]
) -> list[LineReading]:
    """Return the lines of a sample: one of a line image, any number of a photo."""
    return [reader.read_line(image)] if "text" in record else reader.read_photo(image)


def measure(
    readings: Iterable[tuple[dict[str, Any], Sequence[LineReading]]],
) -> dict[str, float]:
    """Return the measures of samples, given by their records and what was read in them."""
    want: list[str] = []
    got: list[str] = []
    found, both = Score(), Score()
    for record, read in readings:
        if "text" in record:
            want.append(record["text"])
            got.append(read[0].text)
            continue
        lines = [t for t in record["texts"] if t["quad"]]
        ignored = [bool(t.get("ignore")) for t in lines]
        quads = np.array([t["quad"] for t in lines], np.float32).reshape(-1, 4, 2)
        boxes = np.array([line.quad for line in read], np.float32).reshape(-1, 4, 2)
        found += detection(boxes, quads, ignored)
        texts = [line.text for line in read]
        both += end_to_end(boxes, texts, quads, [t["text"] for t in lines], ignored)
    result = score_lines(want, got) if want else {}
    if found.wanted or found.found:
        result.update(_score_pages(found, both))
    return result
