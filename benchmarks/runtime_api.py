"""AWS Lambda's Runtime API on this machine, for the runtime client of a function.

It hands out one event at a time and waits for its answer, as
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html describes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PREFIX = "/2018-06-01/runtime"
# What the runtime client consists of; Lambda's own Python holds them.
CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
# Of an S3 event's function; the rest of boto3 comes with them.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
PATIENCE_S = 120


class Function:
    """A function's process, with the API it talks to.

    Attributes:
        init_s: From starting the process until it asked for its first event.
    """

    def __init__(self, folder: Path, lent: Path, *, memory_mb: int = 1769, **env: str) -> None:
        """Start a function with Lambda's runtime client.

        Args:
            folder: The unzipped function.
            lent: An empty folder, for what Lambda's own Python holds.
            memory_mb: What the function is told about its memory.
            **env: More of its environment.
        """
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._count = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        lend(lent, (*CLIENT, *BOTO3))
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "fots-lite",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": f"{folder}:{lent}",
            "_HANDLER": "handler.read",
            # there the function's folder cannot be written
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        }
        started = time.perf_counter()
        self.process = subprocess.Popen(
            # -S: nothing of this Python's own packages, which the function may lack
            [sys.executable, "-S", "-m", "awslambdaric", "handler.read"],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        kind, told = self._answers.get(timeout=PATIENCE_S)
        if kind != "next":
            raise RuntimeError(f"The function does not start: {told.decode()}")
        self.init_s = time.perf_counter() - started

    def __enter__(self) -> Function:
        """Return the function."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()
        self._server.shutdown()
        self._server.server_close()

    def call(self, event: Any) -> Any:
        """Return the answer to an event.

        Raises:
            RuntimeError: The function has raised.
        """
        self._count += 1
        name = f"call-{self._count}"
        self._events.put((name, json.dumps(event).encode()))
        kind, told = self._answers.get(timeout=PATIENCE_S)
        while kind == "next":
            kind, told = self._answers.get(timeout=PATIENCE_S)
        if kind != f"{name}/response":
            raise RuntimeError(f"{kind}: {told.decode()}")
        return json.loads(told)

    def peak_mb(self) -> float:
        """Return the most memory that the process has held, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    def cpu_s(self) -> float:
        """Return the processor time of the process, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with contextlib.suppress(ConnectionResetError):  # the function was ended
                    super().handle()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                if self.path != f"{PREFIX}/invocation/next":
                    self._answer(404, b"", {})
                    return
                function._answers.put(("next", b""))
                name, event = function._events.get()
                deadline = int(1000 * (time.time() + 60))
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": name,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:local:0:function:fots",
                    "Content-Type": "application/json",
                }
                self._answer(200, event, headers)

            def do_POST(self) -> None:
                told = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kind = self.path.removeprefix(f"{PREFIX}/invocation/").removeprefix(f"{PREFIX}/")
                function._answers.put((kind, told))
                self._answer(202, b"", {})

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        return Handler


def lend(folder: Path, modules: tuple[str, ...]) -> None:
    """Link installed modules into a folder.

    Args:
        folder: Where to.
        modules: Their names.
    """
    for name in modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{name} is not installed: pip install 'fots-lite[lambda]'")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source)
