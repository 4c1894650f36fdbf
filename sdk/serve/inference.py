"""The Open Inference Protocol (KServe v2): tensors in JSON around a picture and its reading.

One input, "image": a picture file in base64, datatype BYTES, shape [1]. Outputs have one row for
each line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sdk.serve.job import Answer, Job
from sdk.serve.options import ReadOptions
from sdk.serve.problem import Problem
from sdk.serve.upload import decode_base64, parse_json

if TYPE_CHECKING:
    from sdk.results import Reading

__all__ = ["infer", "model_metadata"]

INPUT = "image"


def model_metadata(name: str, version: str) -> dict[str, Any]:
    """Return what the protocol tells of a model."""
    return {
        "name": name,
        "versions": [version],
        "platform": "tflite_fots-lite",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [1]}],
        "outputs": [
            {"name": "text", "datatype": "BYTES", "shape": [-1]},
            {"name": "confidence", "datatype": "FP32", "shape": [-1]},
            {"name": "quad", "datatype": "FP32", "shape": [-1, 4, 2]},
        ],
    }


def infer(
    job: Job, model: tuple[str, str], read: Callable[[bytes, ReadOptions], Reading]
) -> Answer:
    """Return the answer to a request of the protocol.

    Args:
        job: The request.
        model: Name and version.
        read: Reads a picture file.

    Raises:
        Problem: The request is not as the protocol says.
        SdkError: As `read`.
    """
    request = parse_json(job.body)
    picture = _picture(request)
    parameters = request.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise _bad('"parameters" is no object', "an object, or leave it out")
    options = {
        name: value if isinstance(value, list) and name in ("pattern", "template") else [value]
        for name, value in parameters.items()
    }
    reading = read(picture, ReadOptions.of(options))
    wanted = _wanted(request)
    answer: dict[str, Any] = {"model_name": model[0], "model_version": model[1]}
    if isinstance(request.get("id"), str):
        answer["id"] = request["id"]
    answer["outputs"] = [x for x in _outputs(reading) if wanted is None or x["name"] in wanted]
    return Answer(
        job.id,
        json.dumps(answer, ensure_ascii=False, allow_nan=False).encode(),
        stages=reading.timing.to_dict(),
        texts=tuple(reading.texts),
    )


def _outputs(reading: Reading) -> list[dict[str, Any]]:
    count = len(reading)
    points = [xy for line in reading for point in line.quad for xy in point]
    return [
        {"name": "text", "datatype": "BYTES", "shape": [count], "data": reading.texts},
        {
            "name": "confidence",
            "datatype": "FP32",
            "shape": [count],
            "data": [line.confidence for line in reading],
        },
        {"name": "quad", "datatype": "FP32", "shape": [count, 4, 2], "data": points},
    ]


def _picture(request: Mapping[str, Any]) -> bytes:
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], Mapping):
        raise _bad('"inputs" is no list of one tensor', f'one tensor, "{INPUT}"')
    tensor = inputs[0]
    if tensor.get("name") != INPUT or tensor.get("datatype") != "BYTES":
        found = f"{tensor.get('name')!r} of {tensor.get('datatype')!r}"
        raise _bad(f"the input is {found}", f'"{INPUT}" of datatype "BYTES"')
    data = tensor.get("data")
    if not isinstance(data, list) or len(data) != 1:
        raise _bad('"data" is no list of one element', "one picture file in base64, shape [1]")
    return decode_base64(data[0], "data")


def _wanted(request: Mapping[str, Any]) -> set[str] | None:
    outputs = request.get("outputs")
    if outputs is None:
        return None
    known = {x["name"] for x in model_metadata("", "")["outputs"]}
    names = (
        [x.get("name") if isinstance(x, Mapping) else None for x in outputs]
        if isinstance(outputs, list)
        else [None]
    )
    if not all(isinstance(name, str) and name in known for name in names):
        raise _bad(f'"outputs" asks for {names!r}', f"names from {', '.join(sorted(known))}")
    return set(map(str, names))


def _bad(found: str, legal: str) -> Problem:
    return Problem(422, "bad_request", f"Cannot infer: {found}. Give {legal}.")
