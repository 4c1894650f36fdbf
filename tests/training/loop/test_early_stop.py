import pytest

from training.loop.early_stop import EarlyStop, validation_score


def test_own_folders_decide_if_there_are_any():
    shards = {"lines": 9.0, "exact": 0.5, "exact_norm": 0.9, "cer_norm": 0.1}
    assert validation_score(shards) == 0.5
    own = {"exact_own": 0.8, "exact_meters": 0.6, "exact_norm_own": 1.0}
    assert validation_score({**shards, **own}) == pytest.approx(0.7)
    assert validation_score({"hmean": 0.4, "precision": 0.9}) == 0.4


def test_a_run_ends_when_it_waits_too_long():
    early = EarlyStop(2)
    found = [early.add(step, score) for step, score in enumerate([0.1, 0.3, 0.3, 0.2], 1)]
    assert found == [True, True, False, False]
    assert early.is_over and (early.best, early.best_step) == (0.3, 2)
    again = EarlyStop(3, early.state)
    assert not again.is_over and again.waited == 2 and not again.add(5, 0.3) and again.is_over


def test_without_patience_no_run_ends():
    early = EarlyStop(0)
    assert [early.add(step, 0.0) for step in range(5)] == [True, *[False] * 4]
    assert not early.is_over and not early.active
