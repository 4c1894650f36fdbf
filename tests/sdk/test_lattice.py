"""The lattice of a line: its numbers against brute force, its picture, and who keeps it."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sdk import Reader
from sdk.charset import Charset
from sdk.errors import OptionError
from sdk.lattice import Lattice
from sdk.recognize.ctc import collapse
from tests import tiny

AB = Charset("AB")


def random_lattice(columns: int = 5, seed: int = 0) -> Lattice:
    rows = np.random.default_rng(seed).dirichlet(np.ones(AB.classes), columns)
    return Lattice(rows.astype(np.float32), AB, np.full((32, 4 * columns, 3), 99, np.uint8))


def by_brute_force(probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Return the probability of every text, summed over every path."""
    found: dict[str, float] = {}
    for path in itertools.product(range(AB.classes), repeat=len(probabilities)):
        text = AB.decode(collapse(path)[0])
        share = float(np.prod(probabilities[np.arange(len(path)), path]))
        found[text] = found.get(text, 0.0) + share
    return found


@pytest.mark.parametrize("seed", range(5))
def test_guesses_are_the_likeliest_texts_with_their_probabilities(seed: int) -> None:
    lattice = random_lattice(seed=seed)
    every = by_brute_force(lattice.probabilities)
    likeliest = sorted(every, key=every.__getitem__, reverse=True)[:4]
    guesses = lattice.guesses(4)
    assert [guess.text for guess in guesses] == likeliest
    assert [g.probability for g in guesses] == pytest.approx([every[t] for t in likeliest])


def test_the_probability_of_any_text() -> None:
    lattice = random_lattice()
    for text, share in by_brute_force(lattice.probabilities).items():
        assert lattice.log_probability(text) == pytest.approx(np.log(share), abs=1e-6)
    # three equal characters need five columns, and C is no character of the network
    assert lattice.log_probability("AAAA") == lattice.log_probability("C") == -np.inf


def test_best_path_has_a_character_or_a_blank_for_each_column() -> None:
    rows = np.array([[0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]], np.float32)
    assert Lattice(rows, AB).best_path() == ("A", "", "B")


@pytest.mark.parametrize("count", [0, -1, 2.0, True])
def test_count_must_be_a_number_of_readings(count: int) -> None:
    with pytest.raises(OptionError, match="count is"):
        random_lattice().guesses(count)


def test_picture_shows_the_crop_and_marks_the_probable_cells() -> None:
    rows = np.full((8, 3), 0.005, np.float32)
    rows[:, 0] = 0.99
    rows[3] = 0.005, 0.99, 0.005
    crop = np.zeros((32, 32, 3), np.uint8)
    crop[:, :, 1] = 200
    picture = np.asarray(Lattice(rows, AB, crop).draw(2)).astype(int)
    green = (picture[..., 1] > 150) & (picture[..., 0] < 60)
    cell = int(green.any(0).sum()) / 8  # the crop is as wide as its eight columns
    assert cell == 14
    left = int(green.any(0).argmax())
    dark = (picture[..., 2] > 100) & (picture[..., 0] < 40) & ~green
    row = dark[:, left + round(3.5 * cell)]  # the column of the A: no blank in the first row
    blank = dark[:, left + round(1.5 * cell)]
    assert int(blank.argmax()) < int(row.argmax())


def test_a_line_without_text_and_one_without_a_crop_are_drawn() -> None:
    silent = np.zeros((1, 3), np.float32)
    silent[:, 0] = 1
    assert Lattice(silent, AB).draw().width >= 480


def test_reader_keeps_the_lattice_on_request(tiny_bundle: Path) -> None:
    photo = tiny.draw_photo([("HEAD", 8, 12), ("CAFE", 8, 76)], (128, 128))
    with Reader(tiny_bundle, threads=1) as reader:
        plain, kept = reader.read(photo), reader.read(photo, lattice=True)
        line = reader.read_line(tiny.draw_line("DEAF"), lattice=True)
    assert plain.lines == kept.lines
    assert len(pickle.dumps(plain)) < len(pickle.dumps(kept)) / 2
    with pytest.raises(OptionError, match="lattice=True"):
        plain[0].lattice()
    for one in (*kept, line):
        lattice = one.lattice()
        assert lattice.guesses(1)[0].text == one.text
        path = lattice.charset.encode("".join(lattice.best_path()))
        assert lattice.charset.decode(path[np.diff(path, prepend=0) != 0]) == one.text
        assert lattice.probabilities.sum(1) == pytest.approx(1)
    crop = line.lattice().crop
    assert crop is not None
    assert line.lattice().columns == -(-crop.shape[1] // 4)
