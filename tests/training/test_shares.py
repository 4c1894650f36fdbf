"""Shares on the command lines: a number that is none from 0 to 1 is wrong usage."""

from __future__ import annotations

import pytest

from training.cli import main


@pytest.mark.parametrize("value", ["2", "-0.1", "nan", "most"])
@pytest.mark.parametrize(
    "words",
    [
        ("select", "shards", "--run", "run", "--out", "kept", "--keep-sure"),
        ("teach", "photos", "--out", "labeled", "--sure"),
        ("evaluate", "--bundle", "default", "--data", "photos", "--min-confidence"),
        ("synth", "--out", "shards", "--scans"),
    ],
)
def test_no_share_is_wrong_usage(
    words: tuple[str, ...], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, option = words[0], words[-1]
    with pytest.raises(SystemExit) as stop:
        main([*words[:-1], f"{option}={value}"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: python -m training {command} ")
    assert f"argument {option}: {value!r} is not a number from 0 to 1" in said
