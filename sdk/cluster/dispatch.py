"""`dispatch`: run jobs as tasks of a cluster, again where a process or a node was lost."""

from __future__ import annotations

import logging
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sdk.cluster.session import Cluster
from sdk.errors import ClusterError, SdkError

__all__ = ["RETRIES", "Finished", "Lost", "dispatch"]

logger = logging.getLogger("sdk")

RETRIES = 3
"""How often a job is repeated whose process died, or that failed for a reason that may pass."""
_TICK_S = 1.0
_AHEAD = 2
"""Tasks in flight for each CPU. All jobs at once would cost the head gigabytes."""


_Job = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class _Flight:
    """A submitted task, and how many times nodes had been lost before."""

    job: _Job
    losses: int


@dataclass(frozen=True)
class Finished:
    """A job that was done.

    Attributes:
        job: Name of the job.
        node: Host name of the node that did the job.
        value: What the function returned.
    """

    job: str
    node: str
    value: Any


@dataclass(frozen=True)
class Lost:
    """A job that killed its process at every attempt.

    Attributes:
        job: Name of the job.
        reason: How the last process ended.
    """

    job: str
    reason: str


@dataclass(frozen=True)
class _Reply:
    """What a task gives back; an exception would lose the name of its node."""

    node: str
    value: Any = None
    failure: str = ""
    passing: bool = False


def _work(function: Callable[..., Any], arguments: tuple[Any, ...]) -> _Reply:
    node = socket.gethostname()
    try:
        return _Reply(node, function(*arguments))
    except SdkError as error:
        return _Reply(node, failure=str(error))
    except Exception as error:  # of any library: the network, a store, a driver
        return _Reply(node, failure=f"{type(error).__name__}: {error}", passing=True)


def dispatch(
    cluster: Cluster,
    function: Callable[..., Any],
    jobs: Iterable[_Job],
    stop: threading.Event,
) -> Iterator[Finished | Lost | None]:
    """Run a function for each job; yield each outcome when it is there, in any order.

    A job whose node was lost is done by another node, without a limit; rarely a job is done twice,
    and must then have the same effect as if done once. A job whose process died is
    repeated `RETRIES` times, and so is a job that failed with an exception that is no `SdkError`.
    When `stop` is set or the generator is closed, the tasks in flight are ended.

    Args:
        cluster: The cluster.
        function: Function of an importable module; the nodes import it by name.
        jobs: Unique name and arguments of each job. A job is taken when there is room for it.
        stop: Ends the work.

    Yields:
        The outcome of a job; None at least once a second, so that progress can be shown.

    Raises:
        ClusterError: A job failed on a node.
    """
    import ray

    task = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(_work)
    waiting = iter(jobs)
    again: deque[_Job] = deque()
    flying: dict[Any, _Flight] = {}
    attempts: Counter[str] = Counter()
    nodes = cluster.nodes()
    losses = 0
    try:
        while not stop.is_set():
            living = cluster.nodes()
            losses += bool(nodes.keys() - living.keys())
            nodes = living
            # what flew when a node was lost may never come back, and must not block the others
            room = max(1, _AHEAD * cluster.cpus())
            room -= sum(flight.losses == losses for flight in flying.values())
            while room > 0 and (job := _next(again, waiting, flying, losses)):
                flying[task.remote(function, job[1])] = _Flight(job, losses)
                room -= 1
            if not flying:
                return
            ready, _ = ray.wait(list(flying), num_returns=1, timeout=_TICK_S)
            for reference in ready:
                job = flying.pop(reference).job
                outcome = _outcome(reference, job[0], attempts)
                twins = [other for other, flight in flying.items() if flight.job[0] == job[0]]
                if outcome is not None:
                    for twin in twins:
                        del flying[twin]
                        ray.cancel(twin, force=True)
                    yield outcome
                elif not twins:
                    again.append(job)
            yield None
    finally:
        for reference in flying:
            ray.cancel(reference, force=True)


def _next(
    again: deque[_Job],
    waiting: Iterator[_Job],
    flying: dict[Any, _Flight],
    losses: int,
) -> _Job | None:
    """Return the job to submit: a lost one, a new one, or at the end one that may be lost.

    A node whose cable is pulled closes no connection, and Ray notices a task on it after minutes.
    To do the job twice is no harm, because a job is done alike wherever it runs.
    """
    if again:
        return again.popleft()
    job = next(waiting, None)
    if job is not None:
        return job
    fresh = {flight.job[0] for flight in flying.values() if flight.losses == losses}
    suspects = (flight.job for flight in flying.values() if flight.losses < losses)
    return next((job for job in suspects if job[0] not in fresh), None)


def _outcome(reference: Any, job: str, attempts: Counter[str]) -> Finished | Lost | None:
    """Return the outcome of a task that ended; None if its job must be repeated.

    Raises:
        ClusterError: The job failed for a reason that another attempt does not change.
    """
    import ray
    from ray import exceptions

    try:
        reply = ray.get(reference)
    except (exceptions.NodeDiedError, exceptions.ObjectLostError):
        logger.warning("%s: its node was lost; another node does it.", job)
        return None
    except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError) as error:
        attempts[job] += 1
        reason = "out of memory" if isinstance(error, exceptions.OutOfMemoryError) else "crashed"
        logger.warning("%s: attempt %d: its process was lost (%s).", job, attempts[job], reason)
        return Lost(job, reason) if attempts[job] > RETRIES else None
    except exceptions.RayTaskError as error:
        raise ClusterError(
            f"{job}: a node cannot start the work: {error.cause}. "
            "Install the same fots-lite with the same extras on every node."
        ) from error
    except exceptions.RayError as error:
        text = " ".join(str(error).split())[:400]
        raise ClusterError(f"{job}: the cluster failed ({type(error).__name__}): {text}") from error
    if not reply.failure:
        return Finished(job, reply.node, reply.value)
    attempts[job] += 1
    if reply.passing and attempts[job] <= RETRIES:
        logger.warning("%s: attempt %d on %s: %s", job, attempts[job], reply.node, reply.failure)
        return None
    raise ClusterError(f"{job} failed on the node {reply.node}: {reply.failure}")
