"""Start the processes of a training on several hosts, and start all again if one is lost."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError

__all__ = ["LOST", "SILENCE_S", "Host", "Plan", "check_backend", "read_hosts", "supervise"]

_log = logging.getLogger("training")

LOST = 75
"""Exit code of a process that lost the others, EX_TEMPFAIL: all are started again."""
SILENCE_S = 20
"""A process that says nothing for this time is taken for lost, and ends the others."""
_OWN_ERRORS = (1, 2, 3)
"""Exit codes of clear errors, which another start would repeat."""
_END_S = 30.0
_PASSED_ON = ("KERAS_", "JAX_", "XLA_", "TF_", "OMP_", "GLOO_", "PYTHONPATH", "FOTS_")
_LOCAL = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Host:
    """A place for processes.

    Attributes:
        name: Host name or address; "localhost" for this machine.
        processes: Number of processes there.
    """

    name: str
    processes: int = 1

    @property
    def is_local(self) -> bool:
        """Whether the processes are started without SSH."""
        return self.name in _LOCAL

    def command(self, command: Sequence[str], environment: dict[str, str]) -> list[str]:
        """Return the command line that runs a command there, in the present folder."""
        if self.is_local:
            return list(command)
        names = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        there = f"cd {shlex.quote(os.getcwd())} && exec env {' '.join(names)} {shlex.join(command)}"  # noqa: PTH109
        # the terminal ends the process if the connection is lost
        return [
            "ssh",
            "-tt",
            "-o",
            "BatchMode=yes",
            "-o",
            "ServerAliveInterval=5",
            self.name,
            there,
        ]

    def answers(self) -> bool:
        """Tell whether processes can be started there."""
        if self.is_local:
            return True
        probe = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", self.name, "true"]
        return subprocess.run(probe, stdin=subprocess.DEVNULL, check=False).returncode == 0


@dataclass(frozen=True)
class Plan:
    """How many processes train, where, and what is done about failures.

    Attributes:
        hosts: The hosts, in the order of use; the chief runs on the first one that answers.
        least: Fewest processes to train with.
        most: Most processes.
        max_failures: How often the processes are started again.
        port: Port of the chief; each start uses the next one.
    """

    hosts: Sequence[Host]
    least: int
    most: int
    max_failures: int
    port: int


def read_hosts(text: str) -> list[Host]:
    """Return the hosts of ``--workers``: a number of local processes, or a file of hosts.

    Each line of the file is a host name or address, and the number of processes there if it is not
    one: ``10.0.0.2 4``. "#" starts a comment.

    Raises:
        TrainingError: The file cannot be read, or a line is wrong.
    """
    if text.isdecimal() and int(text) > 0:
        return [Host("localhost", int(text))]
    if "://" in text:
        raise TrainingError(
            f"--workers {text}: the processes of a training are not placed by Ray; SSH starts "
            "them, and they join by themselves. Give a file with a host on each line, those of the "
            "cluster's nodes for example, or a number of processes on this machine."
        )
    try:
        lines = Path(text).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TrainingError(
            f"--workers {text}: {error.strerror}. Give a number of processes on this machine, or a "
            "file with a host on each line."
        ) from error
    hosts = []
    for line in lines:
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        if len(fields) > 2 or (len(fields) == 2 and not fields[1].isdecimal()):
            raise TrainingError(f"{text}: {line!r} is not a host with a number of processes.")
        hosts.append(Host(fields[0], int(fields[1]) if len(fields) == 2 else 1))
    if not hosts:
        raise TrainingError(f"{text} holds no host.")
    return hosts


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


def _places(plan: Plan) -> list[Host]:
    """Return a host for each process, of those that answer."""
    places = [host for host in plan.hosts for _ in range(host.processes) if host.answers()]
    if len(places) < plan.least:
        raise TrainingError(
            f"{len(places)} processes can be started on the hosts that answer; --world asks for "
            f"{plan.least} at least."
        )
    return places[: plan.most]


@contextlib.contextmanager
def _processes(
    command: Sequence[str], places: Sequence[Host], environment: dict[str, str], port: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the processes; end all of them after the block, and with this process."""
    chief = places[0].name
    if places[0].is_local:
        port = _free(port)
        if not all(place.is_local for place in places):
            chief = socket.gethostname()
    group: list[subprocess.Popen[bytes]] = []
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
            group.append(
                subprocess.Popen(
                    host.command(own, environment),
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        _log.info("%d processes train on %s", len(places), ", ".join(p.name for p in places))
        yield group
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for process in group:
            process.kill()
            process.wait()


def _first_end(group: Sequence[subprocess.Popen[bytes]]) -> int:
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


def _free(port: int) -> int:
    """Return a port, or the next one that is free."""
    for candidate in range(port, port + 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", candidate))
            return candidate
    raise TrainingError(f"No port from {port} to {port + 99} is free. Give another --port.")
