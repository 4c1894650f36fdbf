"""FOTS-lite as an AWS Lambda function.

It answers what API Gateway and function URLs send, reads pictures that arrive in S3 and writes the
reading beside them, and takes direct invocations. Setting up and costs: docs/service.md.

Environment: FOTS_LITE_TOKEN, a token that HTTP clients must send; FOTS_LITE_THREADS, threads to
read with; FOTS_LITE_MAX_BYTES, most bytes of an object in S3.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from sdk import Reader, __version__
from sdk.serve.answer import answer
from sdk.serve.form import choose_form
from sdk.serve.job import Answer, Job
from sdk.serve.problem import Problem, problem_body
from sdk.serve.tokens import check_token
from sdk.serve.upload import check_content_type

ROUTES = {"/v1/read": "read", "/v1/read-line": "read-line"}
# What is written beside a picture; it is no picture, so that the function does not call itself.
SUFFIX = ".json"
MAX_BYTES = int(os.environ.get("FOTS_LITE_MAX_BYTES", "50000000"))
# Lambda has a core for every 1,769 MB; more threads than cores only wait for each other.
THREADS = int(os.environ.get("FOTS_LITE_THREADS") or min(4, len(os.sched_getaffinity(0))))

# Opened here, while the function starts: a call that starts warm finds it open.
reader = Reader(threads=THREADS)
reader.warm_up()


def read(event: Mapping[str, Any], context: Any) -> Any:
    """Return the answer to an event, in the form that its source wants."""
    call = str(getattr(context, "aws_request_id", "local"))
    if event.get("Event") == "s3:TestEvent":
        return {"read": []}
    if "Records" in event:
        return {"read": [_read_object(record, call) for record in event["Records"]]}
    if "requestContext" in event or "httpMethod" in event:
        return _answer_http(event, call)
    job = Job(call, "read", json.dumps(event).encode(), "application/json")
    return json.loads(answer(reader, job).body)


def _answer_http(event: Mapping[str, Any], call: str) -> dict[str, Any]:
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    extra: Mapping[str, str] = {}
    try:
        method, path, query = _request_line(event)
        if path == "/healthz" and method == "GET":
            made = Answer(call, json.dumps({"live": True, "fots_lite": __version__}).encode())
        else:
            made = answer(reader, _job(event, call, headers, method, path, query))
    except Problem as problem:
        extra = problem.headers
        body = problem_body(problem.code, problem.message)
        made = Answer(call, body, status=problem.status)
    return {
        "statusCode": made.status,
        "headers": {"content-type": made.media_type, "x-request-id": call, **extra},
        "body": made.body.decode(),
        "isBase64Encoded": False,
    }


def _request_line(event: Mapping[str, Any]) -> tuple[str, str, list[tuple[str, str]]]:
    """Return method, path and query of payload format 2.0 (HTTP APIs, function URLs) or 1.0."""
    http = event.get("requestContext", {}).get("http")
    if http:
        query = parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True)
        return http["method"], event.get("rawPath", "/"), query
    several = event.get("multiValueQueryStringParameters") or {}
    query = [(name, value) for name, values in several.items() for value in values]
    return event["httpMethod"], event.get("path", "/"), query


def _job(
    event: Mapping[str, Any],
    call: str,
    headers: Mapping[str, str],
    method: str,
    path: str,
    query: list[tuple[str, str]],
) -> Job:
    # a stage may stand before the path
    route = next((name for name in ROUTES if path.endswith(name)), None)
    if route is None:
        places = ", ".join(["/healthz", *ROUTES])
        raise Problem(404, "not_found", f"There is nothing at {path}. There are: {places}.")
    if method != "POST":
        raise Problem(
            405, "method_not_allowed", f"{path} does not take {method}. Send POST.",
            {"Allow": "POST"},
        )  # fmt: skip
    if token := os.environ.get("FOTS_LITE_TOKEN"):
        check_token(headers.get("authorization", ""), (token,))
    kind = headers.get("content-type", "")
    check_content_type(kind)
    named = any(name == "format" for name, _ in query)
    form = "json" if named else choose_form(headers.get("accept", ""))
    body = event.get("body") or ""
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    return Job(call, ROUTES[route], data, kind, tuple(query), form)


def _read_object(record: Mapping[str, Any], call: str) -> dict[str, Any]:
    """Read a picture in S3, and write the reading, or why there is none, beside it.

    What S3 itself refuses raises, so that Lambda tries again, and tells in the end.
    """
    import boto3  # a part of Lambda's own Python, which other events need not load

    bucket = record["s3"]["bucket"]["name"]
    key = unquote_plus(record["s3"]["object"]["key"])
    if key.endswith(SUFFIX):
        return {"bucket": bucket, "key": key, "skipped": True}
    store = boto3.client("s3")
    found = store.get_object(Bucket=bucket, Key=key)
    if found["ContentLength"] > MAX_BYTES:
        message = (
            f"The object has {found['ContentLength']:,} bytes, the limit is {MAX_BYTES:,}. "
            "Scale the picture down, or raise FOTS_LITE_MAX_BYTES."
        )
        made = Answer(call, problem_body("too_large", message), status=413, code="too_large")
    else:
        name = key.rpartition("/")[2]
        made = answer(reader, Job(call, "read", found["Body"].read()))
        if made.status == 200:
            value = {**json.loads(made.body), "image": name}
            made = Answer(call, json.dumps(value, ensure_ascii=False).encode(), texts=made.texts)
    target = key + SUFFIX
    store.put_object(
        Bucket=bucket, Key=target, Body=made.body, ContentType="application/json; charset=utf-8"
    )
    return {
        "bucket": bucket,
        "key": target,
        "status": made.status,
        "lines": len(made.texts),
    }
