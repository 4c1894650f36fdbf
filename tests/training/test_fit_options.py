"""Options of fit replace values of the configuration."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from tests.training.conftest import LINE_TOML
from training.cli.fit import add_arguments, changed
from training.config import Config, config_text, parse_config
from training.errors import TrainingError


def with_options(*words: str) -> Config:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    needed = ["--config", "x", "--data", "y", "data/own", "b/", "--run", "z"]
    return changed(parse_config(LINE_TOML), parser.parse_args([*needed, *words]))


def test_without_options_nothing_changes() -> None:
    assert with_options() == parse_config(LINE_TOML)


def test_each_option_replaces_its_value() -> None:
    config = with_options(
        *("--from", "default", "--steps", "7", "--patience", "3", "--divide-data"),
        *("--weight", "own/=8", "b=0.5"),
    )
    train = config.train
    assert (train.init_from, train.steps, train.patience) == ("default", 7, 3)
    assert config.data.weights == {"own": 8.0, "b": 0.5} and config.data.divide
    assert parse_config(config_text(config)) == config


def test_characters_come_from_a_prepared_folder_or_a_name(tmp_path: Path) -> None:
    maps = {"b": 2, "€": 3, "a": 1}
    (tmp_path / "char2int.json").write_text(json.dumps(maps), encoding="utf-8")
    assert with_options("--charset", str(tmp_path)).model.charset == "ab€"
    assert with_options("--charset", "digits").model.charset.startswith(" 0123456789")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--weight", "own"), "--weight own: want a folder"),
        (("--weight", "own=much"), "--weight own=much: want a folder"),
        (("--weight", "owm=8"), "--weight owm: no folder .* are y, own, b"),
        (("--charset", "nowhere"), "--charset nowhere: no characters"),
    ],
)
def test_illegal_options_are_told(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        with_options(*words)
