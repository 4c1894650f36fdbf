"""The OpenAPI file says what the service does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from starlette.routing import Route

import sdk
from sdk.serve.app import Service
from sdk.serve.options import NAMES
from sdk.serve.settings import ServeSettings
from tests.sdk.serve.server import PHOTO

FILE = Path(sdk.__file__).parent / "serve" / "openapi.json"
DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
DATA = PHOTO.read_bytes()


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, verb): about
        for path, item in DOCUMENT["paths"].items()
        for verb, about in item.items()
    }


def fits(value: object, schema: dict[str, Any]) -> None:
    OAS31Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def test_it_is_openapi() -> None:
    validate(DOCUMENT)


def test_it_lists_the_routes() -> None:
    def never() -> Any:
        raise AssertionError

    inner = Service(never, ServeSettings()).app.inner
    routes = {
        (route.path, method.lower())
        for route in inner.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == set(operations())


def test_it_lists_the_parameters() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert tuple(DOCUMENT["components"]["parameters"]) == NAMES
    assert set(schemas["ReadForm"]["properties"]) == {"image", *NAMES}
    assert set(schemas["ReadObject"]["properties"]) == {"image", "name", *NAMES}


@pytest.mark.parametrize("path", [p for p, verb in operations() if verb == "get"])
def test_answers_fit_it(client: httpx.Client, path: str) -> None:
    answer = client.get(path.replace("{model}", "fots-lite"))
    assert answer.status_code == 200
    ((media, about),) = operations()[path, "get"]["responses"]["200"]["content"].items()
    assert answer.headers["content-type"].partition(";")[0] == media
    fits(answer.json() if media == "application/json" else answer.text, about["schema"])


def test_readings_and_problems_fit_it(client: httpx.Client) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    reading = client.post("/v1/read", params={"pattern": "[A-Z]+"}, content=DATA)
    assert reading.status_code == 200
    fits(reading.json(), schemas["ReadAnswer"])
    refused = client.post("/v1/read", content=b"x")
    assert str(refused.status_code) in operations()["/v1/read", "post"]["responses"]
    fits(refused.json(), schemas["Problem"])
