"""Parts of a line, and candidates that vote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from sdk.charset import Charset
from sdk.geometry import box_quads
from sdk.model.retry_policy import VoteSettings
from sdk.model.views import WHOLE, PartView
from sdk.recognize.decoder import LineText
from sdk.recognize.vocabulary import Vocabulary
from sdk.retry.candidate import Candidate
from sdk.retry.sources import cut_part
from sdk.retry.vote import Vote
from tests.claims import claim, read_columns

QUAD = box_quads((100, 60), 120, 20, 0)
LETTERS = Charset("ABCDI ")


def saying(text: LineText) -> Candidate:
    return Candidate(1.0, QUAD, QUAD, text)


def elect(candidates: Iterable[Candidate], lead: float) -> Candidate:
    vote = Vote(VoteSettings(lead=lead))
    for candidate in candidates:
        vote.add(candidate)
        if vote.is_over:
            break
    return vote.elected()


def read_as(text: str, confidence: float) -> Candidate:
    return saying(claim(LETTERS, text, confidence))


def reading(*columns: dict[str, float]) -> Candidate:
    return saying(read_columns(LETTERS, *columns))


def winner(*candidates: tuple[str, float], lead: float = 100.0) -> tuple[str, float]:
    elected = elect([read_as(*one) for one in candidates], lead)
    return elected.text.free.text, pytest.approx(elected.confidence)


@pytest.mark.parametrize("turn", [0, 0.4, math.pi / 2, math.pi])
@pytest.mark.parametrize(
    ("part", "left", "top", "right", "bottom"),
    [
        (WHOLE, 0, 0, 120, 20),
        (PartView(0.25, 0.75), 0, 5, 120, 15),
        (PartView(-0.5, 1.5), 0, -10, 120, 30),
        # sides are shares of the whole height, not of the part's
        (PartView(0.25, 0.75, side=0.5), -10, 5, 130, 15),
        (PartView(side=-0.5, stretch=2), 10, 0, 110, 20),
    ],
)
def test_a_part_is_cut_along_the_line(
    part: PartView, left: float, top: float, right: float, bottom: float, turn: float
) -> None:
    quad = box_quads((100, 60), 120, 20, turn)
    u = np.array([math.cos(turn), math.sin(turn)])
    v = np.array([-u[1], u[0]])
    wanted = [
        quad[0] + x * u + y * v
        for x, y in [(left, top), (right, top), (right, bottom), (left, bottom)]
    ]
    cut = cut_part(quad, part)
    assert cut.dtype == np.float32
    assert np.allclose(cut, wanted, atol=1e-3)


@pytest.mark.parametrize(
    ("rise", "left", "right"), [(0.3, (6, 20), (0, 14)), (-0.3, (0, 14), (6, 20))]
)
def test_a_rising_part_leaves_out_what_is_above_and_below(
    rise: float, left: tuple[float, float], right: tuple[float, float]
) -> None:
    quad = box_quads((60, 10), 120, 20, 0)
    wanted = [(0, left[0]), (120, right[0]), (120, right[1]), (0, left[1])]
    assert np.allclose(cut_part(quad, PartView(rise=rise)), wanted, atol=1e-4)


def test_parts_of_flat_quads_are_finite() -> None:
    for size in ((0, 20), (120, 0), (0, 0)):
        cut = cut_part(box_quads((100, 60), *size, 0.3), PartView(-0.1, 1.1, 0.15))
        assert np.isfinite(cut).all()


def test_unsure_candidates_need_many_to_outvote_a_sure_one() -> None:
    assert winner(("AB", 0.95), ("CD", 0.9), ("CD", 0.9)) == ("CD", 0.9)
    assert winner(("AB", 0.95), ("CD", 0.65), ("CD", 0.65)) == ("AB", 0.95)


def test_the_surest_candidate_at_the_chosen_text_is_given() -> None:
    candidates = [read_as("AB", 0.6), read_as("AB", 0.9), read_as("AB", 0.8)]
    assert elect(candidates, 100.0) is candidates[1]


def test_of_texts_with_equal_votes_the_first_wins() -> None:
    assert winner(("AB", 0.5), ("CD", 0.5)) == ("AB", 0.5)


@pytest.mark.parametrize(("lead", "taken"), [(0.0, 1), (0.9, 1), (1.0, 1), (1.9, 2), (100.0, 5)])
def test_the_vote_ends_early_once_a_text_leads(lead: float, taken: int) -> None:
    asked = []

    def candidates() -> Iterator[Candidate]:
        for text in ("AB", "AB", "CD", "AB", "AB"):
            asked.append(text)
            yield read_as(text, 1.0)

    assert elect(candidates(), lead).text.free.text == "AB"
    assert len(asked) == taken


def test_a_contested_vote_goes_on() -> None:
    # one vote each, then two to one: a lead of 1 comes with the third candidate after the first two
    assert winner(("AB", 0.9), ("CD", 0.9), ("CD", 0.9), ("CD", 0.9), lead=0.6) == ("CD", 0.9)


@pytest.mark.parametrize("nothing", ["", " "])
def test_candidates_that_see_nothing_do_not_vote(nothing: str) -> None:
    assert winner((nothing, 1.0), (nothing, 1.0), (nothing, 1.0), ("AB", 0.3)) == ("AB", 0.3)


def test_of_nothing_comes_nothing() -> None:
    assert winner(("", 1.0)) == ("", 0)
    assert winner(("", 1.0), ("", 1.0), ("", 1.0)) == ("", 0)


def test_single_characters_vote_in_the_first_two_candidates_only() -> None:
    later = [("I", 1.0)] * 5
    assert winner(("AB", 0.97), ("C", 0.6), *[("C", 1.0)] * 5) == ("AB", 0.97)
    assert winner(("AB", 0.5), ("AB", 0.4), *later) == ("AB", 0.5)
    assert winner(("I", 0.9), ("AB", 0.5), *later) == ("I", 0.9)
    assert winner(("AB", 0.5), ("I", 0.9), ("AB", 0.5)) == ("I", 0.9)


def test_of_contested_texts_the_one_likeliest_in_all_candidates_is_taken() -> None:
    # A and C are nearly as likely at the start wherever C was read; one candidate is sure of A
    sure = reading({"A": 0.95, "C": 0.05}, {}, {"B": 0.8, "D": 0.2})
    torn = reading({"A": 0.48, "C": 0.52}, {}, {"B": 0.9})
    assert (sure.text.free.text, torn.text.free.text) == ("AB", "CB")
    assert torn.confidence**8 * 30 > sure.confidence**8
    for candidates in ([sure, torn, torn, torn], [torn, torn, torn, sure]):
        assert elect(candidates, 100.0) is sure
    # nobody else holds the text that a single sure candidate reads for possible
    other = reading({"D": 0.95}, {}, {"D": 0.9})
    both = [reading({"A": 0.8, "C": 0.2}, {}, {"B": 0.9})] * 2
    assert elect([other, *both], 100.0).text.free.text == "AB"


def test_of_similar_texts_the_language_model_prefers_the_usual_one() -> None:
    readings = Charset("O0SLTI ")
    torn = [
        saying(read_columns(readings, {"L": 1.0}, {}, {"0": zero, "O": 1 - zero}, {}, {"T": 1.0}))
        for zero in (0.6, 0.6, 0.45)
    ]
    settings = {"lead": 100.0, "language_bonus": 0.4}
    for weight, text in ((0.0, "L0T"), (0.3, "LOT")):
        vote = Vote(VoteSettings(**settings, language_weight=weight))
        for candidate in torn:
            vote.add(candidate)
        assert vote.elected().text.free.text == text


def test_the_bonus_makes_up_for_longer_texts() -> None:
    torn = [reading({"A": 0.9}, {}, {"B": b, " ": 0.0}) for b in (0.7, 0.4)]
    assert {c.text.free.text for c in torn} == {"AB", "A"}
    elected = []
    for bonus in (0.0, 5.0):
        vote = Vote(VoteSettings(lead=100.0, language_weight=0.5, language_bonus=bonus))
        for candidate in torn:
            vote.add(candidate)
        elected.append(vote.elected().text.free.text)
    assert elected == ["A", "AB"]


SPELLED = Charset("EXITL1 ")


def spelled(unsure: dict[str, float], confidence: float = 1.0) -> Candidate:
    """A reading of E, X, an unsure letter and T."""
    columns = [{"E": confidence}, {}, {"X": 1.0}, {}, unsure, {}, {"T": 1.0}]
    return saying(read_columns(SPELLED, *columns))


def vote_of(candidates: Iterable[Candidate], bonus: float, words_in: Charset | None) -> Candidate:
    vote = Vote(VoteSettings(lead=100.0, word_bonus=bonus), words_in)
    for candidate in candidates:
        vote.add(candidate)
    return vote.elected()


@pytest.mark.parametrize("count", [1, 3])
def test_a_known_word_replaces_a_similar_one_that_was_read(count: int) -> None:
    torn = [spelled({"L": 0.6, "I": 0.3}), spelled({"L": 0.7, "I": 0.1}, 0.9)] * count
    assert {c.text.free.text for c in torn} == {"EXLT"}
    for bonus, words_in, text in (
        (0.6, SPELLED, "EXIT"),
        (0.1, SPELLED, "EXLT"),
        (0.0, SPELLED, "EXLT"),
        (0.6, None, "EXLT"),
    ):
        assert vote_of(torn, bonus, words_in).text.free.text == text
    # the reading under which the word is likeliest gives place and confidences
    found = vote_of(torn, 0.6, SPELLED).text
    assert found.log_probs is torn[0].text.log_probs
    assert found.free.confidences == pytest.approx((1.0, 1.0, 0.63, 1.0), abs=1e-6)
    assert found.free.spans == torn[0].text.free.spans
    assert vote_of([torn[0]], 0.6, SPELLED).text.free.text == "EXIT"


def test_a_known_word_is_as_sure_as_its_text_but_no_surer_than_the_readings() -> None:
    unsure = spelled({"L": 0.6, "I": 0.3})
    [_, _, letter, _] = vote_of([unsure], 0.6, SPELLED).text.free.confidences
    assert letter == pytest.approx(0.6)
    sure = spelled({"L": 0.97, "I": 0.02})
    [_, _, letter, _] = vote_of([sure], 1.1, SPELLED).text.free.confidences
    known = 0.02 * math.exp(4 * 1.1)
    assert letter == pytest.approx(known / (known + 0.97))


def test_a_known_word_of_sure_letters_is_no_surer_than_a_reading_with_one_more() -> None:
    columns = [{"E": 1.0}, {}, {"X": 1.0}, {}, {"I": 1.0}, {}, {"T": 1.0}, {}, {"L": 0.6}, {}]
    said = saying(read_columns(SPELLED, *columns))
    assert said.text.free.text == "EXITL"
    found = vote_of([said], 0.6, SPELLED).text.free
    assert found.text == "EXIT"
    assert found.confidence == pytest.approx(said.confidence)


def test_a_sure_letter_of_an_unknown_word_stays() -> None:
    sure = [spelled({"L": 0.97, "I": 0.02}), spelled({"1": 0.6, "I": 0.3})]
    assert vote_of(sure[:1], 0.6, SPELLED).text.free.text == "EXLT"
    assert vote_of([sure[0]] * 3, 0.6, SPELLED).text.free.text == "EXLT"
    impossible = spelled({"L": 0.6, "1": 0.4})
    assert vote_of([impossible], 0.6, SPELLED).text.free.text == "EXLT"


def test_the_bonus_prefers_a_known_word_among_the_texts_that_were_read() -> None:
    torn = [spelled({"L": 0.6, "I": 0.4}), spelled({"L": 0.45, "I": 0.55})]
    for bonus, words_in in ((0.0, SPELLED), (0.6, None)):
        assert vote_of(torn, bonus, words_in) is torn[0]
    assert vote_of(torn, 0.6, SPELLED).text.free.text == "EXIT"


def test_a_frequent_word_is_preferred_to_a_rare_one(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Vocabulary(["exit"], ["exlt"])
    monkeypatch.setattr("sdk.retry.vote.default_vocabulary", lambda: words)
    candidates = [spelled({"L": 0.3, "I": 0.6})], [spelled({"L": 0.3, "I": 0.6})] * 3
    for bonus, text in ((0.0, "EXIT"), (0.05, "EXIT"), (0.2, "EXLT")):
        for counted in candidates:
            vote = Vote(VoteSettings(lead=100.0, word_bonus=0.6, frequency_bonus=bonus), SPELLED)
            for candidate in (*counted, spelled({"L": 0.5, "I": 0.4})):
                vote.add(candidate)
            assert vote.elected().text.free.text == text


@pytest.mark.parametrize("bonus", [0.0, 4.0])
def test_a_well_formed_vehicle_number_replaces_one_with_a_sign_before_it(bonus: float) -> None:
    number = "1M8GDM9AXKP042788"
    symbols = Charset("".join(sorted({*number, "Y"})))
    columns = [{"Y": 0.9}, *(x for c in number for x in ({}, {c: 0.99}))]
    vote = Vote(VoteSettings(lead=100.0, word_bonus=0.6, vehicle_bonus=bonus), symbols)
    vote.add(saying(read_columns(symbols, *columns)))
    assert vote.elected().text.free.text == (number if bonus else "Y" + number)


def test_a_wrong_check_digit_does_not_replace_a_right_one() -> None:
    right, wrong = "1M8GDM9AXKP042788", "1M8G0M9AXKP042788"
    symbols = Charset("".join(sorted(set(right))))
    unsure = {"D": 0.4, "0": 0.5}
    columns = [x for i, c in enumerate(right) for x in ({}, unsure if i == 4 else {c: 0.99})]
    for bonus, text in ((0.0, wrong), (4.0, right)):
        vote = Vote(VoteSettings(lead=100.0, word_bonus=0.6, vehicle_bonus=bonus), symbols)
        vote.add(saying(read_columns(symbols, *columns)))
        assert vote.elected().text.free.text == text


def test_words_keep_to_the_charset() -> None:
    without = Charset("EXL1T ")
    columns = [{"E": 1.0}, {}, {"X": 1.0}, {}, {"L": 0.4, "1": 0.35}, {}, {"T": 1.0}]
    [line] = [saying(read_columns(without, *columns))]
    assert vote_of([line], 5.0, without) is line


def test_an_vote_that_is_over_asks_no_further() -> None:
    sure = reading({"A": 0.99}, {}, {"B": 0.99})
    other = reading({"C": 0.99}, {}, {"B": 0.99})
    assert elect([sure, sure, other, other, other], 1.5) is sure
