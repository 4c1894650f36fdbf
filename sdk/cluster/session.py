"""`Cluster`: a connection to a Ray cluster, or to a private one on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from importlib import import_module

from sdk.errors import ClusterError

__all__ = ["Cluster", "joined"]

_PATIENCE_S = 5.0
"""Longest wait for a connection to the cluster's port."""
_STORE_BYTES = 200 * 2**20
"""Object store of the private cluster; results of tasks are small."""


class Cluster:
    """A connected cluster; at most one for each process."""

    def cpus(self) -> int:
        """Return the number of CPUs of the living nodes, which is the number of tasks at a time."""
        import ray

        return int(ray.cluster_resources().get("CPU", 0))

    def nodes(self) -> dict[str, str]:
        """Return the names of the living nodes by their identity in the cluster."""
        import ray

        return {n["NodeID"]: n["NodeManagerHostname"] for n in ray.nodes() if n["Alive"]}


@contextlib.contextmanager
def joined(address: str | None, processes: int | None = None) -> Iterator[Cluster]:
    """Connect to a cluster while the block runs.

    Nothing is reported to the makers of Ray. With RAY_AUTH_MODE=token in the environment, the
    cluster's token is read from RAY_AUTH_TOKEN, or from the file in RAY_AUTH_TOKEN_PATH.

    Args:
        address: HOST:PORT of a cluster that this machine is a node of. None starts a private
            cluster on this machine, which ends with the block.
        processes: Processes of the private cluster. None starts one for each core.

    Raises:
        ClusterError: Ray is not installed; the cluster does not answer, refuses the token, or runs
            other versions of Python or Ray; or this machine is not a node.
    """
    # read by Ray when it is imported
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # a busy machine needs longer than Ray's 30 s until its own node has come up
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
    # the notice of a change that concerns accelerators only
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise ClusterError(
            f"Ray is not installed ({error}). Install it: pip install 'fots-lite[cluster]'."
        ) from error
    if address is not None:
        _check_reachable(address)
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=processes or os.cpu_count() or 1,
                object_store_memory=_STORE_BYTES,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # a node that does not come up is a bare Exception of Ray
        ray.shutdown()
        raise ClusterError(_failure(address, error)) from error
    try:
        yield Cluster()
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Refuse an address that nobody listens at, for which Ray would wait much longer."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or "/" in host:
        raise ClusterError(
            f"The cluster is {address!r}. Give HOST:PORT, as ray start --head printed them."
        )
    try:
        socket.create_connection((host, int(port)), _PATIENCE_S).close()
    except OSError as error:
        raise ClusterError(
            f"No cluster answers at {address}: {error.strerror or error}. Start one with: "
            f"ray start --head --port={port} --node-ip-address={host}"
        ) from error


def _failure(address: str | None, error: Exception) -> str:
    text = " ".join(str(error).split())[:400]
    what = "Cannot start Ray on this machine" if address is None else f"Cannot join {address}"
    if "ersion mismatch" in text:
        hint = "Install the same versions of Python and Ray on every node."
    elif "oken" in text or "nauthenticated" in text:
        hint = "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to the token of the cluster."
    elif address is not None:
        hint = f"Run the command on a node of the cluster: ray start --address={address}"
    else:
        hint = "See the files in /tmp/ray/session_latest/logs."
    return f"{what}: {text}. {hint}"
