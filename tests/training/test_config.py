from dataclasses import replace
from pathlib import Path

import pytest

import training
from training.config import config_text, load_config, parse_config
from training.errors import TrainingError

CONFIGS = sorted((Path(training.__file__).parent / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_shipped_configurations_load(path):
    assert load_config(path).model.kind in ("line", "crnn", "detector", "fots")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_configurations_are_written_as_they_are_read(path):
    config = load_config(path)
    assert parse_config(config_text(config)) == config


def test_any_characters_are_written():
    charset = "a\"\\'#\x7f€😀\u2028 ="
    model = replace(parse_config("").model, charset=charset)
    config = replace(parse_config("[data.weights]\n'a b' = 2"), model=model)
    assert parse_config(config_text(config)) == config


def test_defaults_and_values():
    config = parse_config("[train]\nsteps = 7\nlearning_rate = 1\n[data]\nbuckets = [32, 64]")
    assert config.train.steps == 7
    assert config.train.learning_rate == 1.0
    assert isinstance(config.train.learning_rate, float)
    assert config.data.buckets == (32, 64)
    assert parse_config("").model.kind == "line"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[train]\nstep = 3", "Unknown key 'step'"),
        ("[trainn]\nsteps = 3", "Unknown key 'trainn'"),
        ("[train]\nsteps = 'x'", "train.steps must be int"),
        ("[train]\nsteps = true", "train.steps must be int"),
        ("[train]\nsteps = 1.5", "train.steps must be int"),
        ("[train]\nsteps = 0", "train.steps must be at least 1"),
        ("[train]\nlog_every = 0", "train.log_every must be at least 1"),
        ("[data]\nheld_back = -1", "data.held_back must be at least 0, not -1"),
        ("[data]\nbatch = 0", "data.batch must be at least 1"),
        ("[model]\ncharset = 'AAB'", "model.charset: A charset holds each character once"),
        ("[model]\ncharset = ''", "at least one character"),
        ("[model]\nkind = 'page'", "use 'line', 'crnn', 'fots' or 'detector'"),
        ("[model.recognizer]\nrow_blocks = [1]", "row_blocks needs two counts"),
        ("[data]\nbuckets = [64, 32]", "increasing multiples of 32"),
        ("[data]\nbuckets = 64", "must be a list"),
        ("model = 3", "must be a table"),
        ("[model", "not valid TOML"),
    ],
)
def test_mistakes_are_named(text, part):
    with pytest.raises(TrainingError, match=part.replace("[", r"\[")):
        parse_config(text)


def test_missing_file(tmp_path):
    with pytest.raises(TrainingError, match="Cannot read the configuration"):
        load_config(tmp_path / "none.toml")
