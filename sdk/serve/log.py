"""The service's log: one JSON object a line on standard error."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sdk.terminal import json_line

__all__ = ["log_as_json", "log_request"]

logger = logging.getLogger("sdk.serve")


def log_request(message: str, **values: Any) -> None:
    """Log a request with its values, which must be fit for JSON."""
    logger.info(message, extra={"values": values})


@contextmanager
def log_as_json(level: int = logging.INFO, *, everything: bool = False) -> Iterator[None]:
    """Write what the service and uvicorn log as JSON while the block runs.

    Args:
        level: Least level; requests have INFO.
        everything: Whether warnings of all other packages are written too, as in a process that
            does nothing else.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    levels = {
        "sdk.serve": level,
        # of itself uvicorn tells what the service tells better
        "uvicorn.error": max(level, logging.ERROR),
    }
    if everything:
        # a damaged form is an answer to its client
        levels |= {"": max(level, logging.WARNING), "python_multipart": logging.ERROR}
    before = []
    for name, own in levels.items():
        log = logging.getLogger(name)
        before.append((log, log.level, log.propagate))
        log.setLevel(own)
        log.propagate = False
        log.addHandler(handler)
    try:
        yield
    finally:
        for log, old, propagate in before:
            log.removeHandler(handler)
            log.setLevel(old)
            log.propagate = propagate


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        row: dict[str, Any] = {
            "time": f"{stamp}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "values", {}),
        }
        if record.exc_info:
            row["trace"] = self.formatException(record.exc_info)
        try:
            return json_line(row)
        except (TypeError, ValueError):
            return json.dumps(row, default=repr)
