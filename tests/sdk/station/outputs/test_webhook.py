from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sdk.errors import JobError
from sdk.station import Job, judge
from sdk.station.outputs import Outputs, WebhookSettings
from tests.cameras import wait_until
from tests.sdk.station.ports import free_port
from tests.sdk.station.readings import make_reading

VERDICT = judge(Job("milk"), make_reading("L1"), taken=5.0)


class Server(ThreadingHTTPServer):
    """Answers with the codes in `answers`, then with 200; a code of 0 hangs until `close`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.reason: str | None = None
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/verdict"

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self.thread.join(60)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(json.loads(body))
        self.server.headers.append(dict(self.headers.items()))
        code = self.server.answers.pop(0) if self.server.answers else 200
        if code == 0:
            self.server.released.wait()
            return
        self.send_response(code, self.server.reason)
        self.send_header("Location", "/other")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def done(outputs: Outputs) -> dict[str, Any]:
    wait_until(lambda: outputs.counts()["hook"]["waiting"] == 0)
    return outputs.counts()["hook"]


def test_a_server_gets_the_verdict(server: Server) -> None:
    settings = WebhookSettings(name="hook", url=server.url, headers={"Authorization": "Bearer x"})
    with Outputs([settings]) as outputs:
        outputs.publish(VERDICT)
        assert done(outputs)["sent"] == 1
    (body,) = server.bodies
    assert (body["status"], body["job"], body["text"]) == ("ok", "milk", "L1")
    assert server.headers[0]["Content-Type"] == "application/json"
    assert server.headers[0]["Authorization"] == "Bearer x"


def test_a_failure_that_may_pass_is_tried_again(server: Server) -> None:
    server.answers = [503, 429]
    with Outputs([WebhookSettings(name="hook", url=server.url)]) as outputs:
        outputs.publish(VERDICT)
        assert done(outputs)["sent"] == 1
    assert len(server.bodies) == 3


@pytest.mark.parametrize("code", [404, 302])
def test_a_refusal_is_not_tried_again(server: Server, code: int) -> None:
    server.answers = [code]
    with Outputs([WebhookSettings(name="hook", url=server.url)]) as outputs:
        outputs.publish(VERDICT)
        counts = done(outputs)
    assert (counts["sent"], counts["failed"], len(server.bodies)) == (0, 1, 1)
    assert f"answered {code}" in counts["last_error"]


def test_a_reason_is_no_command_to_the_terminal(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers, server.reason = [404], 9_000 * "\x1b[2J"
    with Outputs([WebhookSettings(name="hook", url=server.url)]) as outputs:
        outputs.publish(VERDICT)
        error = done(outputs)["last_error"]
    assert "answered 404 \ufffd[2J" in error
    assert len(error) <= 500 and "\x1b" not in error + caplog.text


def test_a_server_that_hangs_times_out(server: Server) -> None:
    server.answers = [0]
    settings = WebhookSettings(name="hook", url=server.url, retries=0, timeout_s=0.2)
    with Outputs([settings]) as outputs:
        outputs.publish(VERDICT)
        assert "timed out" in done(outputs)["last_error"]


def test_no_server_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with Outputs([WebhookSettings(name="hook", url=url, retries=0)]) as outputs:
        outputs.publish(VERDICT)
        assert "refused" in done(outputs)["last_error"]


@pytest.mark.parametrize(
    "url",
    [
        *("", "host/path", "ftp://:hush@host", "http://", "http://[x", "http://hush@host:99999"),
        *("http://hush host", "http://host/hush\n", "http://host/hush\u00e4", "http://host:0/hush"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(JobError, match="url") as caught:
        WebhookSettings(name="hook", url=url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "headers", [{"X-Key": "hush\r\nX: y"}, {"X Y": "hush"}, {"X": "h\u00fcsh"}]
)
def test_what_is_no_header_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(JobError, match="headers has 'X") as caught:
        WebhookSettings(name="hook", url="http://host", headers=headers)
    assert "sh" not in str(caught.value)


def test_a_user_in_the_address_is_sent_as_basic_authentication(server: Server) -> None:
    url = server.url.replace("//", "//plant:p%40ss@")
    with Outputs([WebhookSettings(name="hook", url=url)]) as outputs:
        outputs.publish(VERDICT)
        assert done(outputs)["sent"] == 1
    pair = server.headers[0]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(pair) == b"plant:p@ss"
    with pytest.raises(JobError, match="Remove one of them"):
        WebhookSettings(name="hook", url=url, headers={"authorization": "Bearer x"})


@pytest.mark.parametrize("answer", [404, 503, None])
def test_passwords_and_tokens_are_never_shown(
    server: Server, answer: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [answer or 200]
    there = server.url if answer else f"http://127.0.0.1:{free_port()}"
    url = f"{there.replace('//', '//plant:hush1@')}/hush2?token=hush3"
    settings = WebhookSettings(name="hook", url=url, headers={"X-Key": "hush4"}, retries=0)
    with Outputs([settings]) as outputs:
        outputs.publish(VERDICT)
        error = done(outputs)["last_error"]
    assert "127.0.0.1" in error
    for told in (error, caplog.text, repr(settings)):
        assert told
        assert "hush" not in told


class Dripping(threading.Thread):
    """A server whose answer comes byte by byte and never ends."""

    def __init__(self, first: bytes) -> None:
        super().__init__()
        self.first = first
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.left = False

    def run(self) -> None:
        connection, _ = self.socket.accept()
        with connection, self.socket:
            connection.sendall(self.first)
            with contextlib.suppress(OSError):
                for _ in range(1200):
                    connection.sendall(b"X")
                    time.sleep(0.05)
                return
        self.left = True


@pytest.mark.parametrize(
    ("scheme", "first"),
    # the second is the head of a record of TLS
    [("http", b"HTTP/1.1 200 OK\r\n"), ("https", b"\x16\x03\x03\x40\x00")],
)
def test_a_server_that_drips_is_left(scheme: str, first: bytes) -> None:
    dripping = Dripping(first)
    dripping.start()
    url = f"{scheme}://127.0.0.1:{dripping.socket.getsockname()[1]}/"
    with Outputs([WebhookSettings(name="hook", url=url, retries=0, timeout_s=0.5)]) as outputs:
        outputs.publish(VERDICT)
        counts = done(outputs)
    assert counts["failed"] == 1
    dripping.join(50)
    assert dripping.left  # the connection was ended, long before the server was done
