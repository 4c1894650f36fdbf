"""The fuzz of pictures tells faults from refusals."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.image import pillow
from tests.fuzz import pictures


def test_mutants_are_pictures_or_refused() -> None:
    report = pictures.run(150, 7)
    loaded, refused = (int(part.split()[0]) for part in report.partition(";")[0].split(", "))
    assert loaded + refused == 150
    assert min(loaded, refused) > 30
    assert report.partition(";")[0] == pictures.run(150, 7).partition(";")[0]


def test_another_error_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise KeyError("width")

    monkeypatch.setattr(pillow, "decode", fail)
    with pytest.raises(AssertionError, match=r"mutant \d+ of seed 7, .*: KeyError: 'width'"):
        pictures.run(50, 7)
