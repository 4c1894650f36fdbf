"""/v1/read and /v1/read-line: what goes in, what comes out."""

from __future__ import annotations

import base64
import io
import json

import httpx
import pytest
from PIL import Image

from sdk.cli import main
from sdk.results import Reading
from tests.misprint import PRINTED, WORD, draw_misprint
from tests.row import CELLS, draw_row
from tests.sdk.serve.server import PHOTO, Served, wait_for

DATA = PHOTO.read_bytes()


def strip() -> bytes:
    """The plate of the photo, which says 6MTX892."""
    buffer = io.BytesIO()
    Image.open(PHOTO).crop((41, 312, 209, 350)).save(buffer, "PNG")
    return buffer.getvalue()


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return Reading.from_dict(answer.json()["reading"]).texts


@pytest.fixture(scope="module")
def plain() -> str:
    """What `fots-lite read --json` says of the photo."""
    import contextlib

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["read", str(PHOTO), "--json", "--threads", "1"]) == 0
    return out.getvalue()


def test_a_form_reads_as_the_command_does(client: httpx.Client, plain: str) -> None:
    answer = client.post("/v1/read", files={"image": ("photo.jpg", DATA)})
    assert answer.headers["content-type"] == "application/json"
    ours, theirs = answer.json(), json.loads(plain)
    assert ours["image"] == "photo.jpg"
    for reading in (ours["reading"], theirs["reading"]):
        del reading["timing"]
    assert ours["reading"] == theirs["reading"]


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", None])
def test_a_raw_body(client: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = client.post("/v1/read", content=DATA, headers=headers)
    assert "6MTX892" in texts(answer)
    assert answer.json()["image"] == ""


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_json_with_base64(client: httpx.Client, prefix: str) -> None:
    image = prefix + base64.b64encode(DATA).decode()
    answer = client.post("/v1/read", json={"image": image, "name": "a"})
    assert "6MTX892" in texts(answer)
    assert answer.json()["image"] == "a"


def test_parameters_in_address_form_and_object(client: httpx.Client) -> None:
    strict = {"charset": "0123456789-", "min_confidence": "0.7", "region": "0.3,0,0.4,0.25"}
    asked = [
        client.post("/v1/read", params=strict, content=DATA),
        client.post("/v1/read", data=strict, files={"image": DATA}),
        client.post(
            "/v1/read",
            json={
                "image": base64.b64encode(DATA).decode(),
                "charset": "0123456789-",
                "min_confidence": 0.7,
                "region": [0.3, 0, 0.4, 0.25],
            },
        ),
    ]
    for answer in asked:
        reading = Reading.from_dict(answer.json()["reading"])
        assert reading.texts == ["01-28"]
        # in the whole picture, not in the region
        assert (reading.width, reading.height) == (640, 480)
        (x, y), *_ = reading[0].quad
        assert abs(x - 204) < 8 and abs(y - 63) < 8


def test_patterns(client: httpx.Client) -> None:
    params = {"pattern": ["[0-9]{2}-[0-9]{2}", "[A-Z0-9]{7}"], "template": "9999"}
    answer = client.post("/v1/read", params=params, content=DATA)
    reading = Reading.from_dict(answer.json()["reading"])
    fitting = {line.text for line in reading if line.pattern_ok}
    assert {"01-28", "6MTX892", "0945"} <= fitting
    assert any(line.pattern_ok is False for line in reading)


def test_known_words_are_preferred_unless_the_reading_is_literal(client: httpx.Client) -> None:
    picture = draw_misprint()
    for path in ("/v1/read-line", "/v1/read"):
        assert texts(client.post(path, content=picture)) == [WORD]
        for value in ("true", "false"):
            answer = client.post(path, params={"literal": value}, content=picture)
            assert texts(answer) == [PRINTED if value == "true" else WORD]
    inside = {"image": base64.b64encode(picture).decode(), "literal": True}
    assert texts(client.post("/v1/read-line", json=inside)) == [PRINTED]


def test_rows_are_divided_into_cells_unless_lines_stay_whole(client: httpx.Client) -> None:
    picture = draw_row()
    assert texts(client.post("/v1/read", content=picture)) == CELLS
    whole = client.post("/v1/read", params={"whole_lines": "true"}, content=picture)
    assert texts(whole) == [" ".join(CELLS)]
    one = client.post("/v1/read-line", params={"whole_lines": "true"}, content=picture)
    assert len(texts(one)) == 1


def test_read_line(client: httpx.Client) -> None:
    assert texts(client.post("/v1/read-line", files={"image": strip()})) == ["6MTX892"]
    with_region = {"region": f"{41 / 640},{312 / 480},{168 / 640},{38 / 480}"}
    answer = client.post("/v1/read-line", params=with_region, content=DATA)
    assert texts(answer) == ["6MTX892"]
    reading = Reading.from_dict(answer.json()["reading"])
    assert 41 <= reading[0].quad[0][0] < 60 and 300 < reading[0].quad[0][1] < 350
    unsure = client.post("/v1/read-line", params={"min_confidence": 1}, content=strip())
    assert texts(unsure) == []


def test_no_text_is_an_empty_reading(client: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(buffer, "PNG")
    answer = client.post("/v1/read", content=buffer.getvalue())
    assert texts(answer) == []
    assert answer.json()["reading"]["notes"][0]["code"] == "nothing_found"


@pytest.mark.parametrize(
    ("accept", "kind", "beginning"),
    [
        ("text/plain", "text/plain; charset=utf-8", "01-28\n"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8", "level\t"),
        ("text/vnd.hocr+html", "text/vnd.hocr+html; charset=utf-8", "<?xml"),
        ("text/html;q=0.9, application/json;q=0.1", "text/vnd.hocr+html; charset=utf-8", "<?xml"),
        ("image/png, */*;q=0.1", "application/json", '{"image"'),
    ],
)
def test_accept_chooses_the_format(
    client: httpx.Client, accept: str, kind: str, beginning: str
) -> None:
    answer = client.post("/v1/read", content=DATA, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.text.startswith(beginning)
    assert "6MTX892" in answer.text


def test_a_named_format_wins(client: httpx.Client) -> None:
    plain = client.post("/v1/read", params={"format": "text"}, content=DATA)
    assert "6MTX892" in plain.text.splitlines()
    image = base64.b64encode(DATA).decode()
    table = client.post("/v1/read", json={"image": image, "format": "tsv"})
    assert table.text.startswith("level\tpage_num")


def test_pages_of_a_tiff(client: httpx.Client) -> None:
    buffer = io.BytesIO()
    photo = Image.open(PHOTO)
    Image.new("RGB", photo.size).save(buffer, "TIFF", save_all=True, append_images=[photo])
    answer = client.post("/v1/read", params={"page": 2}, content=buffer.getvalue())
    assert "6MTX892" in texts(answer)
    assert answer.json()["reading"]["page"] == 2
    first = client.post("/v1/read", content=buffer.getvalue()).json()["reading"]
    assert first["notes"][0]["code"] == "pages_left_out"


def test_a_request_keeps_its_id(client: httpx.Client) -> None:
    named = client.get("/healthz", headers={"x-request-id": "belt-7.12"})
    assert named.headers["x-request-id"] == "belt-7.12"
    evil = client.get("/healthz", headers={"x-request-id": "a" * 65})
    assert len(evil.headers["x-request-id"]) == 16


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"live": True}
    assert client.get("/readyz").json() == {"ready": True}
    about = client.get("/v1/info").json()
    assert about["model"]["model"] == "fots-lite" and about["limits"]["queue"] == 16


def test_metrics(service: Served) -> None:
    before = service.metrics()
    with service.client() as client:
        lines = len(texts(client.post("/v1/read", content=DATA)))
        assert client.post("/v1/read", content=b"no picture").status_code == 422
    after = service.metrics()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('fots_lite_requests_total{method="POST",route="/v1/read",status="200"}') == 1
    assert grown('fots_lite_requests_total{method="POST",route="/v1/read",status="422"}') == 1
    assert grown('fots_lite_errors_total{code="bad_picture"}') == 1
    assert grown("fots_lite_lines_total") == lines > 0
    for stage in ("receive", "queue", "load", "detect", "recognize", "request"):
        assert grown(f'fots_lite_stage_seconds_count{{stage="{stage}"}}') == 1
    assert after['fots_lite_resident_memory_bytes{process="worker-0"}'] > 50e6
    assert (after["fots_lite_workers_ready"], after["fots_lite_queue_length"]) == (1, 0)


def test_the_log_tells_of_requests_and_not_of_pictures(service: Served) -> None:
    with service.client(headers={"x-request-id": "logged"}) as client:
        answer = client.post(
            "/v1/read", params={"pattern": "SECRET"}, files={"image": ("n.jpg", DATA)}
        )
    lines = len(texts(answer))
    assert lines >= 8
    wait_for(lambda: any(row["id"] == "logged" for row in service.rows("request")))
    (row,) = [row for row in service.rows("request") if row["id"] == "logged"]
    assert (row["path"], row["status"], row["lines"]) == ("/v1/read", 200, lines)
    assert row["bytes"] > len(DATA) and row["ms"] >= row["read_ms"] > 0
    said = json.dumps(row)
    assert not any(word in said for word in ("SECRET", "6MTX892", "n.jpg"))
