"""Measurement of settings on photos, and the choice among them."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk import Reader
from sdk.engine import open_engine
from sdk.metrics import Score, detection, end_to_end, letters_and_digits
from sdk.model.bundle import Bundle, write_manifest
from sdk.model.settings import DecodeSettings
from training.data.sets import Sample, read_samples
from training.errors import TrainingError
from training.evaluate.diagnose.report import table
from training.evaluate.sweep.cached_engine import CachedEngine
from training.evaluate.sweep.crops import crop_lines
from training.evaluate.sweep.plan import Changes, Group, Measured, choose

__all__ = ["Bench", "sweep"]


class Bench:
    """Reads the same photos with many settings; engines cache the networks' outputs."""

    def __init__(self, bundle: Bundle, photos: Callable[[], Iterator[Sample]]) -> None:
        """Open the graphs.

        Args:
            bundle: Bundle with a detector.
            photos: Returns an iterator of photos with their records, at each call a new one.

        Raises:
            SdkError: A graph cannot be run.
        """
        self._bundle = bundle
        self._photos = photos
        self._engines = {
            role: CachedEngine(open_engine(bundle.graph(role))) for role in bundle.roles
        }

    def close(self) -> None:
        """Free the graphs."""
        for engine in self._engines.values():
            engine.close()

    def measure(self, group: Group, settings: DecodeSettings) -> list[Measured]:
        """Return the measures of each setting of a group; other settings do not change.

        Raises:
            TrainingError: There is no labeled line.
            ShardError: A shard is damaged.
        """
        readers = [self._reader(settings.changed(changes)) for changes in group.tried]
        measure = {"photos": self._page, "crops": self._crops}[group.measured_on]
        totals = [_Total(changes) for changes in group.tried]
        for number, (image, record) in enumerate(self._photos()):
            for total, reader in zip(totals, readers, strict=True):
                measure(reader, image, record["texts"], number, total)
            for engine in self._engines.values():
                engine.clear()
        if not totals[0].both.wanted:
            raise TrainingError("The photos hold no labeled line. Give shards of photos.")
        return [total.measured() for total in totals]

    def _reader(self, settings: DecodeSettings) -> Reader:
        manifest = replace(self._bundle.manifest, decode=settings)
        return Reader.of_parts(replace(self._bundle, manifest=manifest), self._engines)

    def _timed(self, call: Callable[[], Any], total: _Total) -> Any:
        before = sum(engine.saved_s for engine in self._engines.values())
        started = time.process_time()
        out = call()
        total.seconds += time.process_time() - started
        total.seconds += sum(engine.saved_s for engine in self._engines.values()) - before
        total.pictures += 1
        return out

    def _page(
        self,
        reader: Reader,
        image: np.ndarray,
        labels: Sequence[dict[str, Any]],
        number: int,
        total: _Total,
    ) -> None:
        reading = self._timed(partial(reader.read, image), total)
        wanted = [x for x in labels if x["quad"]]
        quads = np.array([x["quad"] for x in wanted], np.float32).reshape(-1, 4, 2)
        ignored = [bool(x.get("ignore")) for x in wanted]
        boxes = np.array([line.quad for line in reading], np.float32).reshape(-1, 4, 2)
        texts = [x["text"] for x in wanted]
        total.found += detection(boxes, quads, ignored)
        total.both += end_to_end(boxes, reading.texts, quads, texts, ignored)

    def _crops(
        self,
        reader: Reader,
        image: np.ndarray,
        labels: Sequence[dict[str, Any]],
        number: int,
        total: _Total,
    ) -> None:
        # the same crops for every setting
        rng = np.random.default_rng(number)
        for crop, text in crop_lines(image, labels, rng):
            line = self._timed(partial(reader.read_line, crop), total)
            right = letters_and_digits(line.text) == letters_and_digits(text)
            total.both += Score(int(right), 1, 1)


class _Total:
    """Sums of one setting."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.found, self.both = Score(), Score()
        self.seconds, self.pictures = 0.0, 0

    def measured(self) -> Measured:
        measures = {"precision": self.found.precision, "recall": self.found.recall}
        measures |= {"H": self.found.hmean, "e2e": self.both.hmean}
        if not self.found.wanted:
            measures = {"exact": self.both.recall}
        ms = 1e3 * self.seconds / max(self.pictures, 1)
        return Measured(self.changes, ms, measures)


def sweep(
    folder: Path,
    data: Path,
    groups: Sequence[Group],
    *,
    limit: int | None = None,
    write: bool = False,
    progress: Callable[[str], None] = print,
) -> DecodeSettings:
    """Return the settings that the rule of `training.evaluate.sweep.plan` chooses on photos.

    Args:
        folder: The bundle.
        data: Shards of photos that were not trained on.
        groups: Groups of settings.
        limit: Greatest number of photos.
        write: Whether the bundle stores the choice; ``model.json`` is replaced atomically.
        progress: Called with lines of text.

    Raises:
        TrainingError: The data hold no photos with labels, or the bundle has no detector.
        ShardError: A shard is damaged.
        SdkError: The bundle cannot be used or written.
    """
    bundle = Bundle.open(folder)
    if "detector" not in bundle.roles:
        raise TrainingError(f"{folder} has no detector: a sweep reads photos.")

    def photos() -> Iterator[Sample]:
        for image, record in itertools.islice(read_samples(data), limit):
            if "texts" not in record:
                raise TrainingError(
                    f"{data}: {record['image']} is not a photo (it has no 'texts'). "
                    "Give a folder of photo shards."
                )
            yield image, record

    settings = bundle.manifest.decode
    with contextlib.closing(Bench(bundle, photos)) as bench:
        for group in groups:
            tried = bench.measure(group, settings)
            chosen = choose(tried, group.score, settings)
            rows = [_row(m, settings, m is chosen) for m in tried]
            progress(f"{group.name}, on {group.measured_on}:\n{table(rows)}")
            settings = settings.changed(chosen.changes)
    before = bundle.manifest.decode.flat()
    changed = {k: v for k, v in settings.flat().items() if v != before[k]}
    shown = ", ".join(f"{k}={v} (was {before[k]})" for k, v in changed.items())
    progress(f"chosen: {shown or 'no change'}")
    if write and changed:
        write_manifest(folder, replace(bundle.manifest, decode=settings))
        progress(f"Written to {folder}.")
    return settings


def _row(measured: Measured, now: DecodeSettings, chosen: bool) -> dict[str, Any]:
    return {
        "setting": " ".join(f"{name}={_short(value)}" for name, value in measured.changes.items()),
        **{name: f"{value:.4f}" for name, value in measured.measures.items()},
        "ms": f"{measured.ms:.1f}",
        "": "chosen" if chosen else "in use" if measured.is_in(now) else "",
    }


def _short(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"{value:g}"
    return value if isinstance(value, str) else f"{len(value)} of them"
