import numpy as np
import pytest

from sdk.metrics import edit_distance
from training.evaluate.diagnose.confusion import Confusion, align_texts


@pytest.mark.parametrize(
    ("wanted", "read", "pairs"),
    [
        ("A1", "A1", [("A", "A"), ("1", "1")]),
        ("A1", "AI", [("A", "A"), ("1", "I")]),
        ("A1", "1", [("A", ""), ("1", "1")]),
        ("A1", "AB1", [("A", "A"), ("", "B"), ("1", "1")]),
        ("", "X", [("", "X")]),
        ("", "", []),
    ],
)
def test_alignment(wanted, read, pairs):
    assert align_texts(wanted, read) == pairs


def test_a_part_is_found_where_it_fits_best():
    assert align_texts("B8", "XXB8YY", part=True) == [("B", "B"), ("8", "8")]
    assert align_texts("B8", "XXBBYY", part=True) == [("B", "B"), ("8", "B")]
    assert align_texts("B8", "", part=True) == [("B", ""), ("8", "")]


def test_alignments_have_the_fewest_edits():
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, two = ("".join(rng.choice(list("AB1"), rng.integers(0, 8))) for _ in range(2))
        pairs = align_texts(one, two)
        assert sum(a != b for a, b in pairs) == edit_distance(one, two)
        assert "".join(a for a, _ in pairs) == one and "".join(b for _, b in pairs) == two


def test_counts():
    counts = Confusion()
    counts.add("0O-1", "OO 1")
    counts.add("OOO1", "0OO1")
    counts.add("ABCD", "WXYZ")
    assert counts.left_out == 1
    assert counts.pairs == {("0", "O"): 1, ("O", "O"): 3, ("1", "1"): 2, ("O", "0"): 1}
    assert counts.rows()[0] == {"wanted": "O", "read": "O", "count": 3}
    text = counts.text()
    assert "7 characters, 2 edits; 1 readings too far off" in text
    assert "0 -> O           1   100.0%" in text
    assert Confusion().text().startswith("0 characters")
