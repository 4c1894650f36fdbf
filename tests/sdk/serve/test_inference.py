"""The Open Inference Protocol."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.sdk.serve.server import PHOTO
from tests.sdk.serve.test_openapi import DOCUMENT, fits

IMAGE = {
    "name": "image",
    "datatype": "BYTES",
    "shape": [1],
    "data": [base64.b64encode(PHOTO.read_bytes()).decode()],
}


def infer(client: httpx.Client, value: Any, model: str = "fots-lite") -> httpx.Response:
    return client.post(f"/v2/models/{model}/infer", json=value)


def test_a_picture_is_read(client: httpx.Client) -> None:
    answer = infer(client, {"id": "7", "inputs": [IMAGE], "parameters": {"min_confidence": 0.9}})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    fits(body, DOCUMENT["components"]["schemas"]["InferAnswer"])
    assert (body["model_name"], body["id"]) == ("fots-lite", "7")
    text, confidence, quad = body["outputs"]
    count = len(text["data"])
    assert "6MTX892" in text["data"] and text["shape"] == [count]
    assert min(confidence["data"]) >= 0.9 and len(confidence["data"]) == count
    assert quad["shape"] == [count, 4, 2] and len(quad["data"]) == 8 * count


def test_outputs_and_parameters_are_chosen(client: httpx.Client) -> None:
    asked = {
        "inputs": [IMAGE],
        "outputs": [{"name": "text"}],
        "parameters": {"region": "0.3,0,0.4,0.25"},
    }
    (output,) = infer(client, asked).json()["outputs"]
    assert output == {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["01-28"]}


@pytest.mark.parametrize(
    ("value", "status", "word"),
    [
        ([], 400, "object"),
        ({}, 422, "inputs"),
        ({"inputs": [IMAGE, IMAGE]}, 422, "one tensor"),
        ({"inputs": [{**IMAGE, "datatype": "FP32"}]}, 422, "BYTES"),
        ({"inputs": [{**IMAGE, "data": ["a", "b"]}]}, 422, "one"),
        ({"inputs": [{**IMAGE, "data": ["bm90aGluZw=="]}]}, 422, "Cannot"),
        ({"inputs": [IMAGE], "outputs": [{"name": "mood"}]}, 422, "mood"),
        ({"inputs": [IMAGE], "outputs": "text"}, 422, "outputs"),
        ({"inputs": [IMAGE], "parameters": {"colour": 1}}, 422, "colour"),
        ({"inputs": [IMAGE], "parameters": 1}, 422, "parameters"),
    ],
)
def test_problems_are_strings(client: httpx.Client, value: Any, status: int, word: str) -> None:
    answer = infer(client, value)
    assert answer.status_code == status, answer.text
    fits(answer.json(), DOCUMENT["components"]["schemas"]["InferenceProblem"])
    assert word in answer.json()["error"]


def test_other_models_are_not_there(client: httpx.Client) -> None:
    for answer in (infer(client, {}, "other"), client.get("/v2/models/other/ready")):
        assert answer.status_code == 404 and "fots-lite" in answer.json()["error"]
    typed = client.post("/v2/models/fots-lite/infer", content=b"a", headers={"content-type": "a/b"})
    assert typed.status_code == 415
