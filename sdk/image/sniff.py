"""Descriptions of files that are not pictures."""

from __future__ import annotations

_PICTURE_ADVICE = (
    "Pass a picture: JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF, JPEG 2000, PNM or TGA; or a PDF."
)


def describe_content(data: bytes) -> tuple[str, str]:
    """Return a description of a file's content and advice, each for the end of a message.

    Args:
        data: Content of the file. Only its first kilobyte is used.
    """
    head = data[:1024]
    if head[4:8] == b"ftyp":
        return (
            "an HEIF or video file",
            "Save it as JPEG, or pass the PIL image that pillow-heif opens.",
        )
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "PostScript", "Turn it into pictures first, for example: gs -sDEVICE=png16m -r300."
    if head.startswith(b"PK\x03\x04"):
        return "a zip archive or office document", "Pass the pictures in it one by one."
    if _is_text(head):
        start = " ".join(head[:200].decode("utf-8", "replace").split())[:40]
        return f"text beginning with {start!r}", _PICTURE_ADVICE
    return f"no known picture format (it begins with {head[:8].hex(' ')})", _PICTURE_ADVICE


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # the kilobyte may end inside a character
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
