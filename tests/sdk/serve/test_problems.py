"""What is refused, and what the answer says to do."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.sdk.serve.server import PHOTO, Served, serving, wait_for

DATA = PHOTO.read_bytes()
TOKEN = "a-token-of-24-characters"


def huge_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small file that says that it is a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def check(answer: httpx.Response, status: int, code: str, *words: str) -> None:
    """The answer is a problem of this kind, and its message holds these words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    problem = answer.json()["error"]
    assert problem["code"] == code
    for word in words:
        assert word in problem["message"]
    # what failed, and what to do
    assert problem["message"].count(".") >= 2


def raw(service: Served, data: bytes, *, then: float = 0) -> bytes:
    """What comes back for bytes that are sent as they are."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as link:
        link.sendall(data)
        if then:
            time.sleep(then)
        parts = []
        while part := link.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a token and narrow limits."""
    tokens = tmp_path_factory.mktemp("serve") / "tokens"
    tokens.write_text(f"# station 1\nanother-token-of-this-service\n\n{TOKEN}\n")
    options = ("--max-bytes", "100000", "--max-pixels", "400000", "--timeout", "4")
    with serving("--token-file", str(tokens), *options) as served:
        yield served


@pytest.fixture(scope="module")
def patient() -> Iterator[Served]:
    """A service in whose queue one request may wait, as long as a busy machine takes."""
    with serving("--queue", "1", "--timeout", "100") as served:
        yield served


@pytest.fixture
def insider(strict: Served) -> Iterator[httpx.Client]:
    with strict.client(headers={"authorization": f"Bearer {TOKEN}"}) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/read", "/v1/read-line", "/v1/info", "/metrics", "/v2"])
@pytest.mark.parametrize("sent", ["", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_401(strict: Served, path: str, sent: str) -> None:
    headers = {"authorization": sent.encode()} if sent else {}
    method = "POST" if "read" in path else "GET"
    with strict.client() as client:
        answer = client.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in answer.text


def test_health_and_page_need_no_token(strict: Served, insider: httpx.Client) -> None:
    with strict.client() as client:
        for path in ("/", "/page.js", "/page.css", "/healthz", "/readyz", "/v2/health/ready"):
            assert client.get(path).status_code == 200
    assert insider.get("/v1/info").status_code == 200
    assert TOKEN not in json.dumps(strict.log)


def test_404(client: httpx.Client) -> None:
    check(client.get("/v1/write"), 404, "not_found", "/v1/write", "/openapi.json")
    check(client.post("/v1/read/", content=DATA), 404, "not_found")


def test_405(client: httpx.Client) -> None:
    answer = client.get("/v1/read")
    check(answer, 405, "method_not_allowed", "POST")
    assert answer.headers["allow"] == "POST"


def test_406(client: httpx.Client) -> None:
    answer = client.post("/v1/read", content=DATA, headers={"accept": "image/png"})
    check(answer, 406, "not_acceptable", "application/json")


def test_413(strict: Served, insider: httpx.Client) -> None:
    check(insider.post("/v1/read", content=bytes(100_001)), 413, "too_large", "100,000")

    def parts() -> Iterator[bytes]:  # no Content-Length
        for _ in range(20):
            yield bytes(10_000)

    check(insider.post("/v1/read", content=parts()), 413, "too_large", "Scale")
    # refused before it is sent: whoever asks first is not told to go on
    head = (
        f"POST /v1/read HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 999999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert raw(strict, head.encode()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "video/mp4"])
def test_415(client: httpx.Client, kind: str) -> None:
    answer = client.post("/v1/read", content=DATA, headers={"content-type": kind})
    check(answer, 415, "bad_media_type", kind, "multipart/form-data")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"no picture", "image/jpeg", "bad_picture"),
        (b"", "image/jpeg", "no_picture"),
        (DATA[:20_000], "image/jpeg", "bad_picture"),
        (huge_png(), "image/png", "bad_picture"),
        (b"{}", "application/json", "no_picture"),
        (b'{"image": 1}', "application/json", "no_picture"),
        (b'{"image": "?"}', "application/json", "bad_picture"),
        (b'{"image": ""}', "application/json", "no_picture"),
        (b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\na\r\n--x--\r\n',
         "multipart/form-data; boundary=x", "no_picture"),
        (b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\na\r\n--x--\r\n',
         "multipart/form-data; boundary=x", "no_picture"),
    ],
)  # fmt: skip
def test_422_pictures(client: httpx.Client, body: bytes, kind: str, code: str) -> None:
    check(client.post("/v1/read", content=body, headers={"content-type": kind}), 422, code)


def test_422_too_many_pixels(insider: httpx.Client) -> None:
    answer = insider.post("/v1/read", content=huge_png(1000, 401))
    check(answer, 422, "bad_picture", "401,000 pixels", "400,000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region", "0,0,2,1"),
        ("region", "left"),
        ("region", "0,0,nan,1"),
        ("min_confidence", "2"),
        ("min_confidence", "high"),
        ("min_confidence", "nan"),
        ("literal", "maybe"),
        ("whole_lines", "maybe"),
        ("charset", "\u00e9"),
        ("pattern", "(["),
        ("pattern", "(.?){1000}"),
        ("page", "0"),
        ("page", "first"),
        ("format", "xml"),
        ("colour", "red"),
    ],
)
def test_422_parameters(client: httpx.Client, name: str, value: str) -> None:
    answer = client.post("/v1/read", params={name: value}, content=DATA)
    check(answer, 422, "bad_option")
    inside = {"image": base64.b64encode(DATA).decode(), name: value}
    check(client.post("/v1/read", json=inside), 422, "bad_option")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"--x\r\n", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc',
         "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 60 + b"--x--\r\n",
         "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
def test_400(client: httpx.Client, body: bytes, kind: str) -> None:
    answer = client.post("/v1/read", content=body, headers={"content-type": kind})
    check(answer, 400, "bad_body")


def test_408_a_slow_sender(strict: Served) -> None:
    head = (
        f"POST /v1/read HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 1000\r\n\r\nab"
    )
    started = time.monotonic()
    answer = raw(strict, head.encode())
    assert answer.startswith(b"HTTP/1.1 408") and b"too_slow_body" in answer
    assert 3.5 < time.monotonic() - started < 60


def test_garbage_on_the_line(service: Served) -> None:
    assert raw(service, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    with service.client() as client:
        assert client.get("/readyz").status_code == 200


class Asker(threading.Thread):
    """Sends a photo, and keeps the answer."""

    def __init__(self, service: Served) -> None:
        super().__init__()
        self.service = service
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        with self.service.client(headers={"authorization": f"Bearer {TOKEN}"}) as client:
            self.answer = client.post("/v1/read", content=DATA)

    def result(self) -> httpx.Response:
        self.join(120)
        assert self.answer is not None
        return self.answer


def busy(service: Served, count: int) -> Any:
    """A condition: so many requests are active, this one among them."""

    def reached() -> bool:
        with service.client(headers={"authorization": f"Bearer {TOKEN}"}) as client:
            return f"fots_lite_active_requests {count}.0" in client.get("/metrics").text

    return reached


@pytest.fixture
def halted(patient: Served) -> Iterator[int]:
    """The worker, stopped in its tracks."""
    worker = patient.worker
    os.kill(worker, signal.SIGSTOP)
    yield worker
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGCONT)
    wait_for(busy(patient, 1))


def test_503_when_the_queue_is_full(patient: Served, halted: int) -> None:
    first = Asker(patient)
    wait_for(busy(patient, 2))
    second = Asker(patient)
    wait_for(busy(patient, 3))
    with patient.client() as client:
        answer = client.post("/v1/read", content=DATA)
    check(answer, 503, "busy", "Send the request again in")
    assert int(answer.headers["retry-after"]) >= 1
    os.kill(halted, signal.SIGCONT)
    assert [first.result().status_code, second.result().status_code] == [200, 200]


def test_who_leaves_the_queue_makes_room(patient: Served, halted: int) -> None:
    first = Asker(patient)
    wait_for(busy(patient, 2))
    address = urlsplit(patient.url)
    head = f"POST /v1/read HTTP/1.1\r\nHost: a\r\nContent-Length: {len(DATA)}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as link:
        link.sendall(head.encode() + DATA)
        wait_for(busy(patient, 3))
    wait_for(busy(patient, 2))
    third = Asker(patient)
    wait_for(busy(patient, 3))
    os.kill(halted, signal.SIGCONT)
    assert [first.result().status_code, third.result().status_code] == [200, 200]
    wait_for(lambda: any(row.get("code") == "client_gone" for row in patient.rows("request")))


def test_504_when_reading_takes_too_long(strict: Served) -> None:
    starts = len(strict.rows("worker ready"))
    os.kill(strict.worker, signal.SIGSTOP)
    check(Asker(strict).result(), 504, "too_slow", "4 s")
    wait_for(lambda: len(strict.rows("worker ready")) > starts)


def test_502_when_the_worker_is_killed(patient: Served, halted: int) -> None:
    starts = len(patient.rows("worker ready"))
    lost = Asker(patient)
    wait_for(busy(patient, 2))
    os.kill(halted, signal.SIGKILL)
    check(lost.result(), 502, "worker_lost", "again")
    wait_for(lambda: len(patient.rows("worker ready")) > starts)
    assert "6MTX892" in Asker(patient).result().text


def test_an_idle_worker_that_is_killed_is_replaced(patient: Served) -> None:
    starts = len(patient.rows("worker ready"))
    os.kill(patient.worker, signal.SIGKILL)
    with patient.client() as client:
        wait_for(lambda: client.get("/readyz").status_code == 503)
        check(client.get("/readyz"), 503, "not_ready")
        wait_for(lambda: client.get("/readyz").status_code == 200)
    assert len(patient.rows("worker ready")) == starts + 1


def test_texts_are_logged_when_asked_for(tmp_path: Path) -> None:
    with serving("--log-texts") as served:
        with served.client() as client:
            client.post("/v1/read", content=DATA)
        wait_for(lambda: served.rows("request"))
        assert "6MTX892" in served.rows("request")[0]["texts"]
        assert served.stop() == 0
