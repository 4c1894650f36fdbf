"""Start the processes of a training on several hosts, and start all again if one is lost."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from training.errors import TrainingError
from training.loop.hosts import Place, Process

__all__ = ["LOST", "SILENCE_S", "Plan", "check_backend", "supervise"]

_log = logging.getLogger("training")

LOST = 75
"""Exit code of a process that lost the others, EX_TEMPFAIL: all are started again."""
SILENCE_S = 20
"""A process that says nothing for this time is taken for lost, and ends the others."""
_OWN_ERRORS = (1, 2, 3)
"""Exit codes of clear errors, which another start would repeat."""
_END_S = 30.0
_PASSED_ON = ("KERAS_", "JAX_", "XLA_", "TF_", "OMP_", "GLOO_", "PYTHONPATH", "FOTS_")


@dataclass(frozen=True)
class Plan:
    """How many processes train, where, and what is done about failures.

    Attributes:
        hosts: The hosts, in the order of use; the chief runs on the first one that answers. They
            are listed anew for each start.
        least: Fewest processes to train with.
        most: Most processes.
        max_failures: How often the processes are started again.
        port: Port of the chief; each start uses the next one.
    """

    hosts: Iterable[Place]
    least: int
    most: int
    max_failures: int
    port: int


def check_backend(name: str) -> None:
    """Refuse a backend of Keras on which several processes would not train as one.

    Raises:
        TrainingError: The backend is neither JAX nor PyTorch.
    """
    if name not in ("jax", "torch"):
        raise TrainingError(
            f"Several processes train on JAX or PyTorch, and the backend is {name}: with Keras 3, "
            "TensorFlow refuses several workers. Set KERAS_BACKEND=jax or KERAS_BACKEND=torch."
        )


def supervise(command: Sequence[str], plan: Plan) -> int:
    """Run a training to its end; return the exit code of its processes.

    Each process gets ``--rank R --world W --coordinator HOST:PORT`` besides the command. If one is
    lost, the others are ended and all start again, from the last checkpoint, on the hosts that
    answer.

    Args:
        command: Command line of a process.
        plan: Processes and failures.

    Raises:
        TrainingError: Too few hosts answer, processes were lost too often, or the environment asks
            for a backend that does not train with several processes.
    """
    backend = os.environ.get("KERAS_BACKEND", "jax")
    check_backend(backend)
    environment = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    environment["KERAS_BACKEND"] = backend
    for failures in range(plan.max_failures + 1):
        places = _places(plan)
        with _processes(command, places, environment, plan.port + failures) as group:
            code = _first_end(group)
        if code == 0 or code in _OWN_ERRORS:
            return code
        if code == -signal.SIGINT:
            return 128 + signal.SIGINT
        _log.warning(
            "A process of %d was lost (exit code %d); failure %d of %d.",
            *(len(places), code, failures + 1, plan.max_failures),
        )
    raise TrainingError(
        f"Processes were lost {plan.max_failures + 1} times. The last checkpoint is intact: look "
        "for the reason, then run the same command again to resume."
    )


def _places(plan: Plan) -> list[Place]:
    """Return a host for each process, of those that answer."""
    places = [host for host in plan.hosts for _ in range(host.processes) if host.answers()]
    if len(places) < max(1, plan.least):
        raise TrainingError(
            f"{len(places)} processes can be started on the hosts that answer; --world asks for "
            f"{plan.least} at least."
        )
    return places[: plan.most]


@contextlib.contextmanager
def _processes(
    command: Sequence[str], places: Sequence[Place], environment: dict[str, str], port: int
) -> Iterator[list[Process]]:
    """Start the processes; end all of them after the block, and with this process."""
    chief = places[0].name
    port = places[0].free_port(port)
    if places[0].is_local and not all(place.is_local for place in places):
        chief = socket.gethostname()
    group: list[Process] = []
    before = {}

    def pass_on(number: int, _: object) -> None:
        for process in group:
            process.send_signal(number)

    if threading.current_thread() is threading.main_thread():
        # the chief writes a checkpoint, and all end
        before = {n: signal.signal(n, pass_on) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        for rank, host in enumerate(places):
            own = [*command, "--rank", str(rank), "--world", str(len(places))]
            own += ["--coordinator", f"{chief}:{port}"]
            group.append(host.start(own, environment))
        _log.info("%d processes train on %s", len(places), ", ".join(p.name for p in places))
        yield group
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for process in group:
            process.kill()
            process.wait()


def _first_end(group: Sequence[Process]) -> int:
    """Return the exit code of the first process that fails; 0 when all have succeeded."""
    succeeded_at: float | None = None
    while True:
        codes = [process.poll() for process in group]
        failed = [code for code in codes if code]
        if failed:
            # those of lost processes come before those of their survivors
            return min(failed)
        if all(code == 0 for code in codes):
            return 0
        if any(code == 0 for code in codes):
            succeeded_at = succeeded_at or time.monotonic()
            if time.monotonic() - succeeded_at > _END_S:
                return 0  # the chief has written everything
        time.sleep(0.2)
