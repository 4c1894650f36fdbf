"""Names that have moved still work where they were, and warn."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("sdk.camera", "CameraBase", "sdk.live.camera"),
        ("sdk.camera", "CameraEnd", "sdk.errors"),
        ("sdk.camera", "Grabber", "sdk.live.grabber"),
        ("sdk.stream", "Tracker", "sdk.live"),
        ("sdk.stream", "vote_line", "sdk.live"),
    ],
)
def test_moved_names_warn(old: str, name: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"import it from {new}"):
        found = getattr(import_module(old), name)
    assert found is getattr(import_module(new), name)


@pytest.mark.parametrize("module", ["sdk.camera", "sdk.stream"])
def test_unknown_names_are_missing(module: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        import_module(module).Nothing  # noqa: B018


def test_time_of_second_readings_is_deprecated() -> None:
    from sdk import Timing

    timing = Timing.from_dict(
        {
            "load_ms": 1.0,
            "detect_ms": 2.0,
            "recognize_ms": 3.0,
            "recheck_ms": 4.0,
            "total_ms": 10.0,
        }
    )
    assert timing.recognize_ms == 7.0
    with pytest.warns(DeprecationWarning, match="recognize_ms"):
        assert timing.recheck_ms == 0.0
