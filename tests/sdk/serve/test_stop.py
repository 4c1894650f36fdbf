"""How the service starts, and how it stops."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

from sdk.cli import main
from sdk.serve import server
from tests.sdk.serve.server import PHOTO, ROOT, Served, serving, wait_for

DATA = PHOTO.read_bytes()


def post_until_refused(service: Served, results: list[int | str]) -> None:
    """Sends photos one after the other, each on a connection of its own, until none is made."""
    while True:
        try:
            answer = httpx.post(f"{service.url}/v1/read", content=DATA, timeout=60)
        except httpx.ConnectError:
            return
        except httpx.HTTPError as error:
            results.append(repr(error))
            return
        whole = len(answer.content) == int(answer.headers["content-length"])
        results.append(answer.status_code if whole and "6MTX892" in answer.text else "wrong")


def test_sigterm_in_mid_load_loses_no_request() -> None:
    results: list[int | str] = []
    with serving("--workers", "2") as service:
        threads = [
            threading.Thread(target=post_until_refused, args=(service, results)) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(results) >= 4)
        assert service.stop() == 0
        for thread in threads:
            thread.join(60)
    assert set(results) == {200} and len(results) >= 6
    answered = [row for row in service.rows("request") if row["path"] == "/v1/read"]
    assert [row["status"] for row in answered] == [200] * len(results)


def test_it_is_not_ready_while_it_stops() -> None:
    with serving("--drain", "2") as service:
        with service.client() as client:
            assert client.get("/readyz").status_code == 200
            service.process.terminate()
            wait_for(lambda: client.get("/readyz").status_code == 503)
            answer = client.post("/v1/read", content=DATA)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert service.process.wait(60) == 0


def test_no_process_stays_behind_a_killed_service() -> None:
    with serving() as service:
        worker = Path(f"/proc/{service.worker}")
        assert worker.exists()
        service.process.kill()
        wait_for(lambda: not worker.exists() or "Z" in (worker / "stat").read_text().split()[2])


def test_an_address_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "Cannot listen on 127.0.0.1" in capsys.readouterr().err


def test_a_model_that_cannot_be_opened() -> None:
    command = [sys.executable, "-m", "sdk", "serve", "--port", "0", "--model", "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    (said,) = done.stderr.splitlines()
    assert "nowhere/model.json: not found" in said


def test_sigterm_while_it_starts() -> None:
    command = [sys.executable, "-m", "sdk", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    threads = Path(f"/proc/{process.pid}/task")
    try:
        wait_for(lambda: any(x.read_text() for x in threads.glob("*/children")))  # a worker
        process.terminate()
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "no token"),
        ("# none\n", "no token"),
        ("fifteen-letters\n", "Token 1"),
        ("a b" * 9, "Token 1"),
    ],
)
def test_bad_token_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, word: str
) -> None:
    (tmp_path / "tokens").write_text(content)
    assert main(["serve", "--token-file", str(tmp_path / "tokens")]) == 2
    said = capsys.readouterr().err
    assert word in said and (not content or content.strip() not in said)
    assert main(["serve", "--token-file", str(tmp_path / "none")]) == 2


def test_it_listens_on_loopback_unless_told(service: Served) -> None:
    assert service.url.startswith("http://127.0.0.1:")
    with serving("--host", "0.0.0.0") as open_to_all:
        warned = [row for row in open_to_all.log if row["level"] == "warning"]
    assert "--token-file" in warned[0]["message"]


def test_connections_without_a_request_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, so that the wait is short: uvicorn itself would wait for ever."""
    monkeypatch.setattr(server, "HEAD_S", 0.3)

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("there was no request")

    async def run() -> float:
        config = uvicorn.Config(app, http=server._Protocol, lifespan="off", log_config=None)
        state = uvicorn.server.ServerState()
        config.load()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: server._Protocol(config, state, {}), "127.0.0.1", 0
        )
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            started = time.monotonic()
            writer.write(b"POST /v1/read HTTP/1.1\r\nHost:")
            assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
            return time.monotonic() - started

    assert asyncio.run(run()) >= 0.2
