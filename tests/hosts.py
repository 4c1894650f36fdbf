"""Hosts of a cluster on one machine: network namespaces, or raylets on the loopback address.

Each host of the first kind has its own network, host name, /dev/shm and /tmp/ray; a bridge in a
namespace of its own joins them, and nothing leaves them. This needs root.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

RAY = Path(sys.executable).with_name("ray")
ROOT = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_raylet_start_wait_time_s": "400",
    # a lost node is noticed after seconds, not after a minute
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "4",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
}


def why_no_namespaces() -> str:
    """Why hosts cannot be network namespaces here, or nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    name = f"probe{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        return made.stderr.strip() or "ip netns add failed"
    link = subprocess.run(
        ["ip", "-n", name, "link", "add", "br0", "type", "bridge"], capture_output=True, text=True
    )
    subprocess.run(["ip", "netns", "del", name], check=False)
    return link.stderr.strip() if link.returncode != 0 else ""


_START_S = 150.0
# no autoscaler
_HEAD = ("--no-monitor",)
_AGENTS = (
    "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port",
    "metrics-export-port",
    "runtime-env-agent-port",
)


class Hosts:
    """Hosts ``h0``, the head, ``h1``, …; use as a context manager."""

    def __init__(self, folder: Path, count: int, *, namespaces: bool) -> None:
        self.folder, self.count, self.namespaces = folder, count, namespaces
        self._tag = f"fl{secrets.token_hex(2)}"
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        self._started: dict[int, tuple[int, dict[str, str] | None]] = {}
        self.environment = {**os.environ, **_ENVIRONMENT, "RAY_AUTH_TOKEN": secrets.token_hex(16)}
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            self.environment.pop(name, None)
        self.port = 6379 if namespaces else free_port()
        self.address = f"{self.ip(0)}:{self.port}"

    def __enter__(self) -> Hosts:
        if self.namespaces:
            self._build()
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._nodes):
            self.kill(number)
        if self.namespaces:
            for name in [*map(self._space, range(self.count)), f"{self._tag}sw"]:
                subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def ip(self, number: int) -> str:
        return f"10.90.0.{10 + number}" if self.namespaces else "127.0.0.1"

    def _space(self, number: int) -> str:
        return f"{self._tag}h{number}"

    def _build(self) -> None:
        switch = f"{self._tag}sw"
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "br0", "type", "bridge")
        _ip("-n", switch, "link", "set", "br0", "up")
        names = "127.0.0.1 localhost\n"
        for number in range(self.count):
            space, inner, outer = self._space(number), f"v{number}", f"p{number}"
            _ip("netns", "add", space)
            _ip("-n", space, "link", "add", inner, "type", "veth", "peer", "name", outer)
            _ip("-n", space, "link", "set", outer, "netns", switch)
            _ip("-n", switch, "link", "set", outer, "master", "br0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "addr", "add", f"{self.ip(number)}/24", "dev", inner)
            _ip("-n", space, "link", "set", inner, "up")
            names += f"{self.ip(number)} h{number}\n"
        (self.folder / "hosts").write_text(names)

    def inside(self, number: int, command: Sequence[str], name: str) -> list[str]:
        """The command line that runs a command as a new host."""
        if not self.namespaces:
            return list(command)
        own = self.folder / f"ray{number}"
        own.mkdir(exist_ok=True)
        Path("/tmp/ray").mkdir(exist_ok=True)
        script = (
            f"hostname {name}; mount --make-rprivate /; "
            "mount -t tmpfs -o size=512m tmpfs /dev/shm; "
            f"mount --bind {own} /tmp/ray; mount --bind {self.folder / 'hosts'} /etc/hosts; "
            'exec "$@"'
        )
        space = ["ip", "netns", "exec", self._space(number), "unshare", "-m", "-u"]
        return [*space, "bash", "-c", script, "host", *command]

    def start(self, number: int, cpus: int, environment: dict[str, str] | None = None) -> None:
        """Start the head, number 0, or join another node."""
        self._started[number] = (cpus, environment)
        role = (
            ["--head", f"--port={self.port}", "--include-dashboard=false", *_HEAD]
            if number == 0
            else [f"--address={self.address}"]
        )
        command = [
            *[sys.executable, str(RAY), "start", *role, f"--node-ip-address={self.ip(number)}"],
            *[f"--num-cpus={cpus}", "--object-store-memory=100000000"],
            *["--disable-usage-stats", "--include-log-monitor=false", "--block"],
            # with ports of their own the agents may start slowly: Ray waits 15 s for unknown ones
            *(f"--{name}={free_port()}" for name in _AGENTS),
        ]
        log = (self.folder / f"h{number}.log").open("ab")
        self._nodes[number] = subprocess.Popen(
            self.inside(number, command, f"h{number}"),
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def wait(self, *numbers: int, seconds: float = 600) -> None:
        """Wait until these hosts have joined, by what they print: asking costs a process.

        On a very busy machine a raylet ends because its agents start too slowly: another attempt.
        """
        deadline = time.monotonic() + seconds
        for number in numbers:
            log = self.folder / f"h{number}.log"
            again = time.monotonic() + _START_S
            while "Ray runtime started" not in log.read_text(errors="replace"):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"h{number} has not joined: {log.read_text()[-2000:]}")
                node = self._nodes[number]
                if time.monotonic() > again or node.poll() is not None or _lost_its_raylet(node):
                    self.kill(number)
                    self.start(number, *self._started[number])
                    again = time.monotonic() + _START_S
                time.sleep(0.3)

    def driver(self, *command: str) -> list[str]:
        """The command line that runs a command on the head."""
        if not self.namespaces:
            return list(command)
        pid = self._pid_in(0, "gcs_server")
        if pid is None:
            return ["false"]
        return ["nsenter", "-t", str(pid), "-m", "-n", "-u", f"--wd={ROOT}", *command]

    def run(
        self, *command: str, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command on the head."""
        return subprocess.Popen(
            self.driver(*command),
            env={**self.environment, **(environment or {})},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pid(self, number: int) -> int:
        """The process that started a host."""
        return self._nodes[number].pid

    def pids(self, number: int) -> list[int]:
        """The processes of a host."""
        if self.namespaces:
            found = subprocess.run(
                ["ip", "netns", "pids", self._space(number)], capture_output=True, text=True
            )
            return [int(pid) for pid in found.stdout.split()]
        return children(self._nodes[number].pid)

    def _pid_in(self, number: int, word: str) -> int | None:
        for pid in self.pids(number):
            with contextlib.suppress(OSError):
                if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def cut(self, number: int) -> None:
        """Pull the host's cable: no connection is closed, packets vanish."""
        _ip("-n", self._space(number), "link", "set", f"v{number}", "down")

    def kill(self, number: int) -> None:
        """Switch the host off."""
        node = self._nodes.pop(number)
        for pid in [*self.pids_of(node, number), node.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.wait()

    def pids_of(self, node: subprocess.Popen[bytes], number: int) -> list[int]:
        return self.pids(number) if self.namespaces else children(node.pid)


def permitted_hosts(folder: Path, count: int) -> Hosts:
    """Hosts that are not started yet; namespaces where they are permitted."""
    reason = why_no_namespaces()
    if reason:
        print(f"hosts are raylets on the loopback address: {reason}")
    return Hosts(folder, count, namespaces=not reason)


@contextlib.contextmanager
def running_hosts(folder: Path, cpus: Sequence[int]) -> Iterator[Hosts]:
    """Hosts with these numbers of CPUs, the head first; namespaces where they are permitted."""
    with permitted_hosts(folder, len(cpus)) as hosts:
        hosts.start(0, cpus[0])
        hosts.wait(0)
        for number, count in enumerate(cpus[1:], 1):
            hosts.start(number, count)
        hosts.wait(*range(1, len(cpus)))
        yield hosts


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _lost_its_raylet(node: subprocess.Popen[bytes]) -> bool:
    """Whether the raylet has ended, for which ``ray start`` waits in vain."""
    for pid in children(node.pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().partition("(")[2].startswith("raylet) Z"):
                return True
    return False


def children(pid: int) -> list[int]:
    """All descendants of a process."""
    found, waiting = [], [pid]
    while waiting:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{waiting.pop()}/task").iterdir():
                below = [int(child) for child in (task / "children").read_text().split()]
                found += below
                waiting += below
    return found
