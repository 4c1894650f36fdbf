"""The AWS Lambda function, under Lambda's own runtime client."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from benchmarks.runtime_api import Function
from tests.sdk.serve.server import PHOTO, ROOT

DATA = PHOTO.read_bytes()
TOKEN = "a-token-of-24-characters"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", ROOT / "packaging/lambda/build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unzipped function, under the limit."""
    folder = tmp_path_factory.mktemp("lambda") / "function"
    assert build.assemble(folder, python=VERSION, arch="x86_64") <= build.LIMIT - build.MARGIN
    return Path(folder)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """S3 on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def keys(store: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": store,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }


@pytest.fixture(scope="module")
def function(
    folder: Path, store: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Function]:
    lent = tmp_path_factory.mktemp("lent")
    environment = {"FOTS_LITE_THREADS": "1", "FOTS_LITE_MAX_BYTES": "60000", **keys(store)}
    with Function(folder, lent, **environment) as function:
        yield function


def over_http(path: str = "/v1/read", body: bytes = DATA, **more: Any) -> dict[str, Any]:
    """What a function URL sends, payload format 2.0."""
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"Content-Type": "image/jpeg"},
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return {**event, **more}


def lines(answer: dict[str, Any]) -> list[dict[str, Any]]:
    assert answer["statusCode"] == 200, answer
    found: list[dict[str, Any]] = json.loads(answer["body"])["reading"]["lines"]
    return found


def texts(answer: dict[str, Any]) -> list[str]:
    return [line["text"] for line in lines(answer)]


def test_function_urls(function: Function) -> None:
    answer = function.call(over_http())
    assert "6MTX892" in texts(answer)
    assert answer["headers"]["content-type"] == "application/json"
    narrow = over_http(rawQueryString="region=0.3%2C0%2C0.4%2C0.25&pattern=%5B0-9-%5D%2B")
    assert [line["text"] for line in lines(function.call(narrow)) if line["pattern_ok"]] == [
        "01-28"
    ]
    plain = function.call(over_http(headers={"content-type": "image/jpeg", "accept": "text/plain"}))
    assert "6MTX892" in plain["body"].splitlines()


def test_rest_apis_of_api_gateway(function: Function) -> None:
    """Payload format 1.0."""
    event = {
        "httpMethod": "POST",
        "path": "/prod/v1/read",
        "headers": {"content-type": "application/json"},
        "multiValueQueryStringParameters": {"pattern": ["[0-9]{2}-[0-9]{2}", "[A-Z0-9]{7}"]},
        "requestContext": {},
        "body": json.dumps({"image": base64.b64encode(DATA).decode(), "name": "a"}),
        "isBase64Encoded": False,
    }
    lines = json.loads(function.call(event)["body"])["reading"]["lines"]
    assert {"01-28", "6MTX892"} <= {line["text"] for line in lines if line["pattern_ok"]}


def test_forms(function: Function) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'
    form = {"content-type": "multipart/form-data; boundary=x"}
    answer = function.call(over_http(body=body + DATA + b"\r\n--x--\r\n", headers=form))
    assert "6MTX892" in texts(answer)
    assert json.loads(answer["body"])["image"] == "p.jpg"


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (over_http("/v1/write"), 404, "not_found"),
        (over_http(requestContext={"http": {"method": "GET"}}), 405, "method_not_allowed"),
        (over_http(headers={"content-type": "text/plain"}), 415, "bad_media_type"),
        (over_http(headers={"accept": "image/png"}), 406, "not_acceptable"),
        (over_http(body=b"no picture"), 422, "bad_picture"),
        (over_http(rawQueryString="colour=red"), 422, "bad_option"),
        (over_http(headers={"content-type": "application/json"}, body=b"{"), 400, "bad_body"),
    ],
)
def test_problems(function: Function, event: dict[str, Any], status: int, code: str) -> None:
    answer = function.call(event)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"]["code"] == code


def test_direct_invocation(function: Function) -> None:
    answer = function.call({"image": base64.b64encode(DATA).decode(), "charset": "0123456789-"})
    assert "01-28" in [line["text"] for line in answer["reading"]["lines"]]
    assert function.call({"picture": ""})["error"]["code"] == "no_picture"


def test_objects_in_s3(function: Function, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in keys(store).items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    place = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="belt", CreateBucketConfiguration=place)
    for key, data in (("in/a photo+1.jpg", DATA), ("in/b.jpg", b"no"), ("in/c.jpg", bytes(70_000))):
        client.put_object(Bucket="belt", Key=key, Body=data)

    def records(*names: str) -> dict[str, Any]:
        return {
            "Records": [{"s3": {"bucket": {"name": "belt"}, "object": {"key": x}}} for x in names]
        }

    # as S3 writes keys into events
    told = function.call(records("in/a+photo%2B1.jpg", "in/b.jpg", "in/c.jpg", "in/b.jpg.json"))
    assert [row.get("status", "skipped") for row in told["read"]] == [200, 422, 413, "skipped"]

    def written(key: str) -> Any:
        return json.load(client.get_object(Bucket="belt", Key=key)["Body"])

    found = written("in/a photo+1.jpg.json")
    assert found["image"] == "a photo+1.jpg"
    assert "6MTX892" in [line["text"] for line in found["reading"]["lines"]]
    assert written("in/b.jpg.json")["error"]["code"] == "bad_picture"
    assert written("in/c.jpg.json")["error"]["code"] == "too_large"
    assert function.call({"Event": "s3:TestEvent"}) == {"read": []}
    # what S3 refuses is the function's failure, so that Lambda tries again
    with pytest.raises(RuntimeError, match="NoSuchKey"):
        function.call(records("in/gone.jpg"))


def test_a_token(folder: Path, tmp_path: Path) -> None:
    with Function(folder, tmp_path, FOTS_LITE_TOKEN=TOKEN) as function:
        refused = function.call(over_http())
        assert refused["statusCode"] == 401
        assert refused["headers"]["WWW-Authenticate"].startswith("Bearer")
        headers = {"content-type": "image/jpeg", "authorization": f"Bearer {TOKEN}"}
        assert "6MTX892" in texts(function.call(over_http(headers=headers)))
        live = over_http("/healthz", requestContext={"http": {"method": "GET"}})
        assert function.call(live)["statusCode"] == 200


def test_the_size_is_checked(build: ModuleType) -> None:
    assert build.check_size(247_144_000) == 247_144_000
    with pytest.raises(SystemExit, match="Leave more out"):
        build.check_size(247_144_001)


def test_the_zip_is_the_same_for_the_same_files(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "f" / "sub").mkdir(parents=True)
    (tmp_path / "f" / "handler.py").write_text("pass\n")
    (tmp_path / "f" / "sub" / "b").write_bytes(bytes(1000))
    for name in ("1.zip", "2.zip"):
        build.pack(tmp_path / "f", tmp_path / name)
        (tmp_path / "f" / "handler.py").touch()
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["handler.py", "sub/b"]
