"""Threads that share jobs."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from sdk.engine.worker_pool import WorkerPool
from sdk.errors import SdkError


def test_results_come_in_the_order_of_the_jobs() -> None:
    for count in (1, 3):
        with closing(WorkerPool(count)) as helpers:
            assert len(helpers) == count
            assert list(helpers.map(lambda x: x * x, range(9))) == [x * x for x in range(9)]


def test_jobs_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2)
    with closing(WorkerPool(2)) as helpers:
        # none returns before the other has come
        assert sorted(helpers.map(lambda _: meeting.wait(20), range(2))) == [0, 1]


def test_a_single_helper_is_the_caller() -> None:
    asked = threading.current_thread()
    begun: list[int] = []

    def work(job: int) -> threading.Thread:
        begun.append(job)
        return threading.current_thread()

    results = WorkerPool().map(work, range(5))
    assert next(results) is asked
    assert begun == [0]  # the others wait until they are asked for


def test_a_single_job_stays_with_the_caller() -> None:
    with closing(WorkerPool(2)) as helpers:
        [thread] = helpers.map(lambda _: threading.current_thread(), [1])
    assert thread is threading.current_thread()


def test_closed_helpers_say_so() -> None:
    helpers = WorkerPool(2)
    helpers.close()
    with pytest.raises(SdkError, match="closed"):
        helpers.map(str, [1, 2])
