"""Value of each candidate view of a bundle: accuracy and number of readings without the view.

python -m benchmarks.views FOLDER [--model BUNDLE] [--only a,b] [--limit N]

FOLDER is a labeled folder, or a folder of labeled folders (docs/evaluation.md). Pictures of one
line are read with several lists of `retry.crop.views`, photos with several lists of
`retry.photo.views`: all views of the bundle, none, the views of one kind, and all views but one.
The table has the number of right labels (`exact` or `found`), `e2e` of photos, and the runs of the
line graph per label. A view is not needed if the accuracy without it is the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.scores import Score
from sdk import Reader
from sdk.arguments import positive_int
from sdk.engine import Engine, open_engine
from sdk.errors import SdkError
from sdk.image.load import load_image
from sdk.model.bundle import Bundle
from sdk.model.views import BandView, CandidateView, PartView, plain_views
from sdk.native_notes import native_notes_to_log
from training.data.labels import read_labeled
from training.data.sets import find_sets
from training.evaluate.sweep.cached_engine import CachedEngine


class Counted:
    """An engine that counts its runs."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine."""
        self._engine = engine
        self.runs = 0

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph, see `Engine.run`."""
        self.runs += 1
        return self._engine.run(inputs, raw)

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""
        return self._engine.describe()

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


class Trial:
    """A list of views, and the score of its readings."""

    def __init__(
        self, bundle: Bundle, engines: Mapping[str, Engine], setting: str, views: Any
    ) -> None:
        """Prepare a reader with these views.

        Args:
            bundle: The bundle.
            engines: Engines of all roles of the bundle, shared with other trials.
            setting: Path of the list, such as "retry.crop.views".
            views: The candidate views in order of use.
        """
        decode = bundle.manifest.decode.changed({setting: views})
        manifest = replace(bundle.manifest, decode=decode)
        self._line = Counted(engines["line"])
        self._reader = Reader.of_parts(
            replace(bundle, manifest=manifest), {**engines, "line": self._line}
        )
        self.score = Score()

    def read(self, pixels: NDArray[np.uint8], row: dict[str, Any]) -> None:
        """Read a picture, and add its score."""
        if "text" in row:
            self.score.add_line(row["text"], self._reader.read_line(pixels).text)
            return
        lines = self._reader.read(pixels)
        self.score.add_photo(row["texts"], [(x.text, [list(p) for p in x.quad]) for x in lines])

    def __str__(self) -> str:
        """Return the right labels, e2e of photos, and the runs per label."""
        score = self.score
        labels = score.lines + score.labels
        shown = f"{score.exact + score.found:6} of {labels}"
        if score.photos:
            shown += f"  e2e {2 * score.right / max(score.regions + score.labels, 1):.3f}"
        return f"{shown}{self._line.runs / max(labels, 1):8.2f} runs per label"


def lists_of(views: tuple[CandidateView, ...]) -> Iterator[tuple[str, tuple[CandidateView, ...]]]:
    """Yield lists of views with their names: all, none, one kind, all but one."""
    yield "all", views
    yield "none", ()
    for name, kind in (("bands", BandView), ("parts", PartView)):
        yield f"{name} only", tuple(view for view in views if isinstance(view, kind))
    for number, view in enumerate(views):
        [shown] = plain_views([view])
        yield f"without {number + 1} {shown}", views[:number] + views[number + 1 :]


@native_notes_to_log()
def main() -> None:
    """Read the pictures with every list of views, and print one table per kind of picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="labeled folder, or folder of labeled folders")
    parser.add_argument("--model", help="model bundle (default: the packaged bundle)")
    parser.add_argument("--only", default="", help="names of sets, separated by commas")
    parser.add_argument("--limit", type=positive_int, help="largest number of pictures of a set")
    args = parser.parse_args()
    try:
        _run(args)
    except SdkError as error:
        raise SystemExit(f"ERROR: {error}") from error


def _run(args: argparse.Namespace) -> None:
    bundle = Bundle.open(args.model)
    engines = {role: CachedEngine(open_engine(bundle.graph(role))) for role in bundle.roles}
    trials: dict[str, dict[str, Trial]] = {}
    for folder in find_sets(args.folder, args.only):
        for number, (path, row) in enumerate(read_labeled(folder)):
            if number == args.limit:
                break
            setting = "retry.crop.views" if "text" in row else "retry.photo.views"
            if setting not in trials:
                policy = bundle.manifest.decode.retry
                views = (policy.crop if "text" in row else policy.photo).views
                trials[setting] = {
                    name: Trial(bundle, engines, setting, some) for name, some in lists_of(views)
                }
            pixels = load_image(path)
            for trial in trials[setting].values():
                trial.read(pixels, row)
            for engine in engines.values():
                engine.clear()
    for setting, tried in trials.items():
        print(f"\n{setting}")
        width = max(map(len, tried))
        for name, trial in tried.items():
            print(f"{name:<{width}}{trial}")
    for engine in engines.values():
        engine.close()


if __name__ == "__main__":
    main()
