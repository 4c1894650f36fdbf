"""From a request's parts to its answer: what a worker does, and what a Lambda function does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sdk.errors import ImageError, OptionError, SdkError
from sdk.formats import get_format
from sdk.image.load import open_document
from sdk.serve.form import MEDIA_TYPES, choose_form
from sdk.serve.inference import infer
from sdk.serve.job import Answer, Job
from sdk.serve.options import ReadOptions
from sdk.serve.problem import Problem, problem_body
from sdk.serve.upload import parse_upload
from sdk.single_line import SingleLines

if TYPE_CHECKING:
    from sdk.reader import Reader
    from sdk.results import Reading

__all__ = ["answer", "read_picture"]

logger = logging.getLogger("sdk.serve")


def answer(reader: Reader, job: Job) -> Answer:
    """Return the answer to a job; what fails is an answer too."""
    try:
        return _TASKS[job.task](reader, job)
    except Problem as problem:
        status, code, message = problem.status, problem.code, problem.message
    except ImageError as error:
        status, code, message = 422, "bad_picture", str(error)
    except OptionError as error:
        status, code, message = 422, "bad_option", str(error)
    except SdkError as error:
        status, code, message = 500, "reader_failed", str(error)
    except Exception:
        # the picture and its texts stay out of the log, the place in the code does not
        logger.exception("Request %s failed in a way that is not foreseen.", job.id)
        status, code = 500, "internal"
        message = "Reading failed in a way that is not foreseen. The service's log says more."
    inference = job.task == "infer"
    return Answer(
        job.id,
        problem_body(code, message, inference=inference),
        status=status,
        code=code,
    )


def read_picture(
    reader: Reader, picture: bytes, options: ReadOptions, max_pixels: int, *, line: bool = False
) -> Reading:
    """Return the reading of an image file.

    Args:
        reader: Who reads.
        picture: The file.
        options: How to read it.
        max_pixels: Most pixels to decode.
        line: Whether the picture, or its region, is one line of text.

    Raises:
        SdkError: As `Reader.read`.
    """
    with open_document(picture, max_pixels=max_pixels) as document:
        loaded = document.first() if options.page is None else document.load(options.page)
    wanted: dict[str, Any] = {
        "charset": options.charset,
        "pattern": options.pattern,
        "min_confidence": options.min_confidence,
        "words": not options.literal,
        "cells": not options.whole_lines,
        "region": options.region,
    }
    return SingleLines(reader).read(loaded, **wanted) if line else reader.read(loaded, **wanted)


def _read(reader: Reader, job: Job) -> Answer:
    upload = parse_upload(job.body, job.content_type, job.query)
    options = ReadOptions.of(upload.options)
    form = job.form if options.format is None else choose_form("", options.format)
    reading = read_picture(
        reader,
        upload.picture,
        options,
        job.max_pixels,
        line=job.task == "read-line",
    )
    body = get_format(form).write([(upload.name, reading)])
    return Answer(
        job.id,
        body.encode(),
        MEDIA_TYPES[form],
        stages=reading.timing.to_dict(),
        texts=tuple(reading.texts),
    )


def _infer(reader: Reader, job: Job) -> Answer:
    about = reader.describe()
    return infer(
        job,
        (about["model"], about["version"]),
        lambda picture, options: read_picture(reader, picture, options, job.max_pixels),
    )


_TASKS: dict[str, Callable[[Reader, Job], Answer]] = {
    "read": _read,
    "read-line": _read,
    "infer": _infer,
}
