"""Where the processes of a training run: on this machine, or on hosts that SSH reaches."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from training.errors import TrainingError

__all__ = ["Host", "Place", "Process", "free_port", "read_hosts"]

_LOCAL = ("localhost", "127.0.0.1")


class Process(Protocol):
    """A started process, as `subprocess.Popen` has it."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; negative for a signal."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self) -> object:
        """Wait until it has ended."""


class Place(Protocol):
    """A place for processes."""

    @property
    def name(self) -> str:
        """Name or address at which the other places reach it."""

    @property
    def processes(self) -> int:
        """Number of processes there."""

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, under a name that only this machine understands."""

    def answers(self) -> bool:
        """Tell whether processes can be started there."""

    def free_port(self, port: int) -> int:
        """Return a port, or the next one that is free if this can be told from here."""

    def start(self, command: Sequence[str], environment: dict[str, str]) -> Process:
        """Start a process there; its output is that of this process."""


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

    def free_port(self, port: int) -> int:
        """Return a port, or the next one that is free if this can be told from here."""
        return free_port(port) if self.is_local else port

    def start(self, command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a process there; its output is that of this process."""
        return subprocess.Popen(
            self.command(command, environment),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


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
            f"--workers {text}: give a number of processes on this machine, a file with a host on "
            "each line, or ray://HOST:PORT, the address of a Ray cluster."
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


def free_port(port: int) -> int:
    """Return a port, or the next one that is free."""
    for candidate in range(port, port + 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", candidate))
            return candidate
    raise TrainingError(f"No port from {port} to {port + 99} is free. Give another --port.")
