"""What goes to a worker process, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Answer", "Job", "Task"]

Task = str
"""What is asked for: "read" a photo, "read-line" a picture of one line, or "infer" by the Open
Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request as it came, less what HTTP itself needs.

    Attributes:
        id: The request's id, which its answer carries too.
        task: What to do.
        body: The request's body.
        content_type: Its header of that name; empty if there was none.
        query: Names and values of the address, in order.
        form: Format of the answer, see `sdk.formats.get_format`.
        max_pixels: Most pixels of a picture to decode.
    """

    id: str
    task: Task
    body: bytes
    content_type: str = ""
    query: tuple[tuple[str, str], ...] = ()
    form: str = "json"
    max_pixels: int = 8192 * 6144


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker made of a job.

    Attributes:
        id: The job's id.
        body: The answer's body.
        media_type: Its type.
        status: HTTP status.
        code: Kind of the problem; empty if there is none.
        stages: Milliseconds by stage, as in `sdk.results.Timing`.
        texts: The lines read.
    """

    id: str
    body: bytes
    media_type: str = "application/json"
    status: int = 200
    code: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
