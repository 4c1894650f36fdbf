"""Following a product's lines over frames, with generated readings."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from sdk.errors import OptionError
from sdk.live import EachFrame, StreamEvent, Tracker, tracker_for
from sdk.live.camera import CameraBase
from sdk.results import Reading, TextLine
from tests.readings import line, reading

Told = list[tuple[int, str, list[str]]]
LABEL = [line("STERIPAD", y=10), line("LOT 26A417", y=60), line("EXP 2027-08-31", y=110)]
TEXTS = [x.text for x in LABEL]


def play(tracker: Tracker, frames: Iterable[Iterable[TextLine]]) -> Told:
    """Show frames, and return (frame, kind, texts) of the events."""
    told: Told = []
    for i, lines in enumerate(frames):
        event = tracker.update(reading(*lines), float(i))
        if event is not None:
            assert event.time == i
            told.append((i, event.kind, event.reading.texts))
    return told


def moved(lines: Iterable[TextLine], dx: float, dy: float) -> list[TextLine]:
    return [
        line(x.text, x.quad[0][0] + dx, x.quad[0][1] + dy, confidence=x.confidence) for x in lines
    ]


@pytest.mark.parametrize("vote", [1, 2, 3, 5])
def test_settled_after_so_many_agreeing_frames_and_told_once(vote: int) -> None:
    told = play(Tracker(vote), [LABEL] * 20)
    assert told == [(vote - 1, "settled", TEXTS)]


@pytest.mark.parametrize("vote", [1, 2, 3, 5])
def test_cleared_when_the_product_leaves(vote: int) -> None:
    told = play(Tracker(vote), [LABEL] * 6 + [[]] * 5)
    assert told == [(vote - 1, "settled", TEXTS), (7, "cleared", TEXTS)]


def test_one_missed_frame_changes_nothing() -> None:
    frames = [LABEL, [], LABEL, LABEL] + [LABEL, []] * 5
    assert play(Tracker(3), frames) == [(3, "settled", TEXTS)]


def test_one_missed_line_changes_nothing() -> None:
    frames = [LABEL] * 3
    for i in range(12):
        frames.append([x for j, x in enumerate(LABEL) if j != i % 3])
    assert play(Tracker(3), frames) == [(2, "settled", TEXTS)]


def test_one_wrong_frame_changes_nothing() -> None:
    wrong = [LABEL[0], line("LOT 26A4I7", y=60), line("EXP 207-08-31", y=110)]
    frames = [LABEL] * 3 + [wrong] + [LABEL] * 3 + [wrong] + [LABEL] * 3
    assert play(Tracker(3), frames) == [(2, "settled", TEXTS)]


def test_it_settles_when_each_character_has_its_votes() -> None:
    # no three frames agree, but three agree on every character
    frames = [
        [line("LOT 26A417")],
        [line("LOT 26A4I7")],
        [line("LOT 6A417")],
        [line("LOT 26A417")],
    ]
    assert play(Tracker(3), frames) == [(3, "settled", ["LOT 26A417"])]


@pytest.mark.parametrize("vote", [1, 2, 3, 5])
def test_changed_after_so_many_frames_of_the_new_text(vote: int) -> None:
    next_lot = [LABEL[0], line("LOT 26A418", y=60), LABEL[2]]
    told = play(Tracker(vote), [LABEL] * 10 + [next_lot] * 10)
    assert told == [
        (vote - 1, "settled", TEXTS),
        (9 + vote, "changed", ["STERIPAD", "LOT 26A418", "EXP 2027-08-31"]),
    ]


def test_what_changed_is_as_sure_as_its_own_frames() -> None:
    tracker = Tracker(3)
    for _ in range(5):
        tracker.update(reading(line("METER 0041")), 0)
    events = [tracker.update(reading(line("METER 0042", confidence=0.9)), 0) for _ in range(3)]
    assert events[2] is not None
    assert events[2].reading[0].confidence == pytest.approx(0.9)


def test_another_product_in_the_same_place_is_never_mixed() -> None:
    other = [line("MILK 3.5%", y=12), line("L7 BATCH 9", y=58)]
    told = play(Tracker(3), [LABEL] * 5 + [other] * 12)
    assert told == [
        (2, "settled", TEXTS),
        (7, "changed", ["MILK 3.5%", "L7 BATCH 9"]),
    ]


def test_another_product_in_another_place_is_a_new_one() -> None:
    other = moved([line("MILK 3.5%")], 300, 300)
    told = play(Tracker(3), [LABEL] * 5 + [other] * 5)
    assert told == [
        (2, "settled", TEXTS),
        (6, "cleared", TEXTS),
        (7, "settled", ["MILK 3.5%"]),
    ]


def test_a_moving_product_is_one_product() -> None:
    """It moves more than a line's height, so that its lines never overlap those before."""
    frames = [moved(LABEL, 4 * i, 28 * i) for i in range(10)]
    assert play(Tracker(3), frames) == [(2, "settled", TEXTS)]


def test_a_moving_product_with_changing_mistakes() -> None:
    source = random.Random(3)
    frames = []
    for i in range(12):
        text = list("LOT 26A417")
        if i % 3 == 1:
            text[source.randrange(10)] = "?"
        frames.append([line("".join(text), x=10 + 45 * i)])
    assert [(kind, texts) for _, kind, texts in play(Tracker(3), frames)] == [
        ("settled", ["LOT 26A417"])
    ]


def test_products_one_after_the_other() -> None:
    frames: list[list[TextLine]] = []
    for number in range(5):
        frames += [[line(f"SN {number:05}")]] * 4 + [[]] * 2
    told = [(kind, texts) for _, kind, texts in play(Tracker(3), frames)]
    expected = [(kind, [f"SN {n:05}"]) for n in range(5) for kind in ("settled", "cleared")]
    assert told == expected


def test_the_same_product_again_after_a_gap_is_told_again() -> None:
    told = play(Tracker(2), [LABEL] * 3 + [[]] * 2 + [LABEL] * 3)
    assert [kind for _, kind, _ in told] == ["settled", "cleared", "settled"]


def test_a_line_that_comes_later_is_waited_for() -> None:
    told = play(Tracker(3), [LABEL[:2]] * 2 + [LABEL] * 5)
    assert told == [(4, "settled", TEXTS)]


def test_a_line_that_comes_after_it_was_settled_changes_it() -> None:
    told = play(Tracker(3), [LABEL[:2]] * 5 + [LABEL] * 5)
    assert told == [(2, "settled", TEXTS[:2]), (7, "changed", TEXTS)]


def test_a_line_that_goes_changes_it_only_when_it_stays_away() -> None:
    # the lines of a product that moves out of view go one by one
    leaving = [LABEL] * 5 + [LABEL[:2]] * 3 + [LABEL[:1]] * 3 + [[]] * 3
    assert [kind for _, kind, _ in play(Tracker(3), leaving)] == ["settled", "cleared"]
    told = play(Tracker(3), [LABEL] * 5 + [LABEL[:2]] * 12)
    assert told == [(2, "settled", TEXTS), (14, "changed", TEXTS[:2])]


def test_a_speck_seen_once_is_not_told() -> None:
    speck = line("i", x=500, y=400)
    told = play(Tracker(3), [LABEL, LABEL, [*LABEL, speck], LABEL, LABEL, LABEL, LABEL])
    assert [(kind, texts) for _, kind, texts in told] == [("settled", TEXTS)]


def test_specks_everywhere_do_not_hold_it_up_for_ever() -> None:
    source = random.Random(1)
    frames = [
        [*LABEL, line("i", x=300 + 300 * source.random(), y=200 + 250 * source.random())]
        for _ in range(20)
    ]
    told = play(Tracker(3), frames)
    assert told[0][1:] == ("settled", TEXTS)
    assert told[0][0] <= 13
    assert len(told) == 1


def smear(count: int) -> list[list[TextLine]]:
    """Frames of a line that reads otherwise in each."""
    source = random.Random(5)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return [
        [line("".join(source.choice(letters) for _ in range(8)), confidence=0.6)]
        for _ in range(count)
    ]


def test_a_product_that_cannot_be_read_does_not_pass_untold() -> None:
    tracker = Tracker(3)
    events = [tracker.update(reading(*lines), 0) for lines in smear(30)]
    told = [event for event in events if event is not None]
    assert [event.kind for event in told] == ["settled"]  # once
    [unsure] = told[0].reading  # and is no sure reading
    assert unsure.confidence < 0.3 and unsure.probability < 0.1


def test_an_unreadable_product_after_a_good_one_does_not_pass_untold() -> None:
    tracker = Tracker(3)
    for _ in range(5):
        tracker.update(reading(line("LOT 26A4")), 0)
    told = [tracker.update(reading(*lines), 0) for lines in smear(30)]
    changed = [event for event in told if event is not None]
    assert [event.kind for event in changed] == ["changed"]
    assert changed[0].reading[0].confidence < 0.3


def test_a_product_that_becomes_readable_is_told_again() -> None:
    told = play(Tracker(3), [*smear(20), *[[line("LOT 26A4")]] * 6])
    assert [kind for _, kind, _ in told] == ["settled", "changed"]
    assert told[1] == (22, "changed", ["LOT 26A4"])


def test_an_unreadable_line_does_not_hold_up_the_others() -> None:
    frames = [[line("LOT 1", y=100), *lines] for lines in smear(20)]
    frames += [[line("LOT 2", y=100), *lines] for lines in smear(10)]
    told = play(Tracker(3), frames)
    assert [kind for _, kind, _ in told] == ["settled", "changed"]
    assert told[1][0] == 22
    assert told[1][2][1] == "LOT 2"


def test_lines_are_told_in_reading_order_with_the_places_of_the_frame() -> None:
    tracker = Tracker(2)
    tracker.update(reading(*LABEL[::-1]), 0)
    event = tracker.update(reading(*moved(LABEL, 3, 2)), 0)
    assert event is not None
    assert event.reading.texts == TEXTS
    assert event.reading[0].quad[0] == (13, 12)
    assert (event.reading.width, event.reading.height) == (640, 480)


def test_empty_view_tells_nothing() -> None:
    assert play(Tracker(3), [[]] * 10) == []


def test_memory_does_not_grow() -> None:
    tracker = Tracker(3)
    source = random.Random(2)
    for i in range(300):
        x, y = 500 * source.random(), 400 * source.random()
        tracker.update(reading(line(f"N{i}", x, y)), i)
    assert len(tracker._tracks) <= 3


@pytest.mark.parametrize("vote", [0, -1, 2.5, "3", True])
def test_vote_that_is_none(vote: object) -> None:
    with pytest.raises(OptionError, match="vote is"):
        Tracker(vote)  # type: ignore[arg-type]


def test_stills_are_products_each() -> None:
    class Film(CameraBase):
        def open(self) -> None: ...
        def read(self, timeout_s: float = 1.0) -> None: ...
        def close(self) -> None: ...

    class Stills(Film):
        stills = True

    follower = tracker_for(Stills("stills"), 3)
    assert isinstance(follower, EachFrame)
    empty = Reading((), 640, 480)
    for shown in (reading(*LABEL), reading(*LABEL), empty):
        event = follower.update(shown, 5.0)
        assert isinstance(event, StreamEvent)
        assert (event.kind, event.reading, event.time) == ("settled", shown, 5.0)
    assert isinstance(tracker_for(Film("film"), 3), Tracker)


@pytest.mark.parametrize("gap", [0, 2])
def test_noisy_products_are_each_told_rightly(gap: int) -> None:
    """A third of the frames read a product wholly right; products may follow without a gap."""
    source = random.Random(11)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

    def misread(text: str) -> str:
        out = []
        for char in text:
            roll = source.random()
            if roll < 0.015:
                out.append(source.choice(letters))
            elif roll > 0.03:
                out.append(char)
        return "".join(out)

    tracker = Tracker(3)
    for _ in range(20):
        texts = ["".join(source.choice(letters) for _ in range(12)) for _ in range(3)]
        frames = [
            [line(misread(text), y=60 * i) for i, text in enumerate(texts)] for _ in range(12)
        ]
        told = play(tracker, [*frames, *[[]] * gap])
        assert [x[2] for x in told if x[1] != "cleared"][-1] == texts
