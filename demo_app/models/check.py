"""The about screen: facts on the station, and a self-check."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo_app.language import tr
from sdk import Reader, __version__
from sdk.errors import SdkError
from sdk.machine import cpu_name
from sdk.selftest import SAMPLE_TEXTS, compare, draw_sample, same

# With less free space, the station may soon fail to write its history.
_LEAST_FREE_MB = 200


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check. `mark` is "ok", "unreadable" for a warning, or "ng"."""

    mark: str
    name: str
    detail: str


def facts(reader: Reader) -> list[tuple[str, str]]:
    """Return the facts on the station, as names and values."""
    about = reader.describe()
    size = sum(graph["bytes"] for graph in about["graphs"].values()) / 1e6
    return [
        (tr("Version"), f"FOTS-lite {__version__}"),
        (tr("Model"), f"{about['model']} {about['version']} ({about['variant']}, {size:.1f} MB)"),
        (tr("Device"), f"{about['device']}, {about['interpreter']}"),
        (tr("Threads"), str(about["threads"])),
        (tr("Machine"), cpu_name()),
        (tr("System"), f"{platform.system()} {platform.release()}, {platform.machine()}"),
        (tr("Python"), platform.python_version()),
    ]


def self_check(
    reader: Reader, folder: Path, count_records: Callable[[], int], camera: tuple[str, str]
) -> list[Check]:
    """Check the parts of the station, which takes about a second.

    Args:
        reader: Reads the test picture.
        folder: Folder of the station's files.
        count_records: Counts the verdicts in the history.
        camera: State of the camera ("open", "lost", "ended", "") and its message.
    """
    return [
        _check_reading(reader),
        _check_history(count_records),
        _check_space(folder),
        _check_camera(*camera),
    ]


def _check_reading(reader: Reader) -> Check:
    name = tr("Reading the test picture")
    try:
        reading = reader.read(draw_sample())
    except SdkError as error:
        return Check("ng", name, str(error))
    rows = compare(SAMPLE_TEXTS, reading.texts)
    right = sum(same(expected, found) for expected, found in rows)
    detail = tr("{right} of {all} lines right, {ms:.0f} ms").format(
        right=right, all=len(rows), ms=reading.timing.total_ms
    )
    return Check("ok" if right == len(rows) else "ng", name, detail)


def _check_history(count_records: Callable[[], int]) -> Check:
    name = tr("History")
    try:
        count = count_records()
    except SdkError as error:
        return Check("ng", name, str(error))
    return Check("ok", name, tr("{count} verdicts").format(count=count))


def _check_space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free / 1e6
    detail = tr("{gb:.1f} GB free").format(gb=free / 1000)
    return Check("ok" if free > _LEAST_FREE_MB else "ng", tr("Disk"), detail)


def _check_camera(state: str, message: str) -> Check:
    name = tr("Camera")
    if state == "open":
        return Check("ok", name, message or tr("Connected"))
    if state in ("", "ended"):
        return Check("unreadable", name, message or tr("Not started"))
    return Check("ng", name, message)
