"""`RayNodes`: the nodes of a Ray cluster as places for the processes of a training.

Ray finds the nodes, starts the processes and carries signals and output; the processes join by
themselves, as those that SSH starts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from sdk.cluster.folders import check_seen
from sdk.cluster.session import joined
from sdk.cluster.versions import check_same, versions
from sdk.errors import ClusterError
from training.loop.hosts import free_port
from training.loop.supervisor import SILENCE_S

__all__ = ["SCHEME", "RayNode", "RayNodes", "ray_nodes"]

_log = logging.getLogger("training")

SCHEME = "ray://"
_ANSWER_S = 60.0
"""Longest wait for an answer of a node, which starts a process of Python for it."""
_START_S = 120.0
_PACKAGES = ("keras", "jax", "jaxlib", "torch")


@contextlib.contextmanager
def ray_nodes(text: str) -> Iterator[RayNodes]:
    """Connect to the cluster of ``ray://HOST:PORT`` while the block runs.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be joined.
    """
    with joined(text.removeprefix(SCHEME)):
        yield RayNodes()


class RayNodes:
    """The nodes with CPUs that are alive when they are listed, in the order of addresses."""

    def __iter__(self) -> Iterator[RayNode]:
        """List the nodes."""
        import ray

        for node in sorted(ray.nodes(), key=lambda node: str(node["NodeManagerAddress"])):
            resources = node["Resources"]
            if node["Alive"] and resources.get("CPU", 0) >= 1:
                yield RayNode(
                    node["NodeManagerAddress"],
                    node["NodeID"],
                    resources["CPU"],
                    resources.get("GPU", 0),
                )


@dataclass(frozen=True)
class RayNode:
    """A node, for one process that takes all its CPUs and GPUs.

    Attributes:
        name: Address in the cluster.
        identity: Ray's identity of the node.
        cpus: Number of its CPUs.
        gpus: Number of its GPUs.
        processes: Always one.
        is_local: Never: the node's address is known to all.
    """

    name: str
    identity: str
    cpus: float
    gpus: float
    processes: int = 1
    is_local: bool = False

    def answers(self) -> bool:
        """Tell whether the node does something; a cut-off one is listed for a minute.

        Raises:
            ClusterError: Its versions differ from those here, or it does not see the folder.
        """
        from ray.exceptions import RayError

        try:
            self._ask(_check, _versions(), Path.cwd())
        except RayError as error:
            _log.warning("The node %s does not answer: %s", self.name, type(error).__name__)
            return False
        return True

    def free_port(self, port: int) -> int:
        """Return a port of the node, or the next one that is free."""
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):  # it was lost just now, which its process will show
            return int(self._ask(free_port, port))
        return port

    def start(self, command: Sequence[str], environment: dict[str, str]) -> _Remote:
        """Start a process on the node, as soon as its CPUs and GPUs are free."""
        import ray

        member = ray.remote(_Member).options(
            **self._place(), num_cpus=self.cpus, num_gpus=self.gpus
        )
        return _Remote(self.name, member.remote(), (list(command), environment, str(Path.cwd())))

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        import ray
        from ray.exceptions import RayTaskError

        task = ray.remote(function).options(**self._place(), num_cpus=0, max_retries=0)
        try:
            return ray.get(task.remote(*arguments), timeout=_ANSWER_S)
        except RayTaskError as error:
            raise ClusterError(f"{self.name}: {error.cause}") from error

    def _place(self) -> dict[str, Any]:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(self.identity, soft=False)
        return {"scheduling_strategy": here}


class _Member:
    """An actor on a node, which runs a process."""

    def start(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        # in a process of its own: Ray and a training both want signals, threads and the exit code;
        # it ends with the actor, without which nobody could end it
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def poll(self, signals: list[int]) -> tuple[int | None, bytes]:
        for number in signals:
            self._process.send_signal(number)
        code = self._process.poll()
        assert self._process.stdout is not None
        return code, self._process.stdout.read() or b""


class _Remote:
    """A process on a node; see `training.loop.hosts.Process`."""

    def __init__(self, node: str, member: Any, work: tuple[list[str], dict[str, str], str]) -> None:
        self._node, self._member = node, member
        self._started = member.start.remote(*work)
        self._until = time.monotonic() + _START_S
        self._signals: list[int] = []
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; pass its output on.

        A node that does not answer has lost the process.

        Raises:
            ClusterError: The node cannot start the process.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        if self._code is not None:
            return self._code
        try:
            if not ray.wait([self._started], timeout=0)[0]:
                self._check_patience()
                return None
            ray.get(self._started)
            signals, self._signals = self._signals, []
            self._code, said = ray.get(self._member.poll.remote(signals), timeout=SILENCE_S)
        except RayTaskError as error:
            raise ClusterError(f"{self._node} cannot start a process: {error.cause}") from error
        except RayError as error:
            _log.warning("The node %s was lost: %s", self._node, type(error).__name__)
            self._code, said = -signal.SIGKILL, b""
        sys.stderr.buffer.write(said)
        sys.stderr.flush()
        return self._code

    def _check_patience(self) -> None:
        if time.monotonic() > self._until:
            raise ClusterError(
                f"{self._node} has started no process for {_START_S:.0f} s. A process takes all "
                "CPUs and GPUs of a node: end the other work on it."
            )

    def send_signal(self, sig: int) -> None:
        """Send it a signal, with the next `poll`."""
        self._signals.append(sig)

    def kill(self) -> None:
        """End it at once, with its actor."""
        import ray

        ray.kill(self._member)

    def wait(self) -> None:
        """Wait until it has ended, or its node is lost."""
        import ray
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):
            while True:
                ray.get(self._member.poll.remote([]), timeout=SILENCE_S)


def _check(head: dict[str, str], folder: Path) -> None:
    check_same(head, _versions())
    check_seen(folder)


def _versions() -> dict[str, str]:
    """Return the versions of the program, its libraries, and what trains."""
    found = versions()
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
