"""Reads pictures with a FOTS-lite service; needs nothing but Python.

python read.py photo.jpg [more.png ...]

Environment: FOTS_LITE_URL (default http://127.0.0.1:8000), FOTS_LITE_TOKEN.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

URL = os.environ.get("FOTS_LITE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ.get("FOTS_LITE_TOKEN")
TRIES = 5


def read(picture: bytes, **parameters: str) -> dict:
    """Return the reading of a picture: its lines with text, confidence and quad.

    A busy service (503) and a worker that was lost (502) are tried again.

    Raises:
        RuntimeError: The service refuses; the message says what to do.
    """
    address = f"{URL}/v1/read?{urllib.parse.urlencode(parameters)}"
    headers = {"Content-Type": "application/octet-stream"}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    for rest in reversed(range(TRIES)):
        request = urllib.request.Request(address, picture, headers)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)["reading"]
        except urllib.error.HTTPError as error:
            if error.code in (502, 503) and rest:
                time.sleep(float(error.headers.get("Retry-After", 1)))
                continue
            raise RuntimeError(json.load(error)["error"]["message"]) from error
    raise AssertionError("the last try returns or raises")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for line in read(Path(name).read_bytes())["lines"]:
            print(line["text"], round(line["confidence"], 2))
