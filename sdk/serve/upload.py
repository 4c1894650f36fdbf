"""The picture and the options of a request: raw body, multipart form, or JSON with base64.

This runs in a worker: what a hostile body costs, it costs there.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdk.serve.problem import Problem

__all__ = [
    "MULTIPART",
    "Upload",
    "check_content_type",
    "decode_base64",
    "parse_json",
    "parse_upload",
]

MULTIPART = "multipart/form-data"
JSON = "application/json"
_RAW = ("", "application/octet-stream", "application/pdf")
# Fields beside the picture, and bytes of their values.
_MAX_FIELDS = 50
_MAX_FIELD_BYTES = 64 * 1024


@dataclass
class Upload:
    """What a request holds.

    Attributes:
        picture: Bytes of the image file.
        name: What the client calls it; may be empty.
        options: Values by name, strings or what JSON has, in the order given.
    """

    picture: bytes
    name: str = ""
    options: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        """Append a value of an option."""
        self.options.setdefault(name, []).append(value)


def check_content_type(content_type: str, *, only_json: bool = False) -> str:
    """Return the media type of a body after checking that it may hold a picture.

    Args:
        content_type: The header, with its parameters.
        only_json: Whether nothing but JSON will do.

    Raises:
        Problem: It may not (415).
    """
    media = content_type.partition(";")[0].strip().lower()
    if media == JSON or (not only_json and (media in (*_RAW, MULTIPART) or _is_image(media))):
        return media
    if only_json:
        raise Problem(
            415, "bad_media_type", f"The body is {media or 'of no type'}. Send application/json."
        )
    hint = ""
    if media == "application/x-www-form-urlencoded":
        hint = " With curl: -F image=@photo.jpg."
    raise Problem(
        415,
        "bad_media_type",
        f"The body is {media}, which holds no picture. Send the picture itself as image/jpeg or "
        f"another image type, a form as multipart/form-data, or JSON with base64.{hint}",
    )


def parse_upload(body: bytes, content_type: str, query: Iterable[tuple[str, str]] = ()) -> Upload:
    """Return the picture and the options of a request.

    Args:
        body: The whole body.
        content_type: Its header, with its parameters.
        query: Options from the address, which come first.

    Raises:
        Problem: The body is not what its type says (400), holds no picture (422), or has a type
            that may hold none (415).
    """
    media = check_content_type(content_type)
    upload = Upload(b"")
    for name, value in query:
        upload.add(name, value)
    if media == MULTIPART:
        _parse_form(body, content_type, upload)
    elif media == JSON:
        _parse_object(parse_json(body), upload)
    else:
        upload.picture = body
    if not upload.picture:
        raise _no_picture("The body is empty.")
    return upload


def parse_json(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body holds.

    Raises:
        Problem: It is no JSON, or another value (400).
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise Problem(
            400, "bad_body", f"The body is no JSON: {reason}. Send one object, in UTF-8."
        ) from error
    if not isinstance(value, dict):
        raise Problem(
            400, "bad_body", f"The body is a JSON {type(value).__name__}. Send an object."
        )
    return value


def decode_base64(text: Any, name: str) -> bytes:
    """Return the bytes of a picture in base64, of which a data URL may be made.

    Raises:
        Problem: It is none (422).
    """
    if not isinstance(text, str):
        raise _no_picture(f'"{name}" is {type(text).__name__}, not a string.')
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(
            422,
            "bad_picture",
            f'"{name}" is no base64: {error}. Encode the bytes of the image file.',
        ) from error


def _is_image(media: str) -> bool:
    return media.startswith("image/")


def _parse_object(value: Mapping[str, Any], upload: Upload) -> None:
    if "image" not in value:
        raise _no_picture('The object has no "image".')
    for name, item in value.items():
        if name == "image":
            upload.picture = decode_base64(item, name)
        elif name == "name":
            upload.name = str(item)
        elif name in ("pattern", "template") and isinstance(item, list):
            for one in item:
                upload.add(name, one)
        elif item is not None:
            upload.add(name, item)


def _parse_form(body: bytes, content_type: str, upload: Upload) -> None:
    files: list[Any] = []
    fields: list[int] = []
    ended: list[bool] = []

    def on_field(item: Any) -> None:
        fields.append(len(item.value or b""))
        if len(fields) > _MAX_FIELDS or sum(fields) > _MAX_FIELD_BYTES:
            raise Problem(
                400,
                "bad_body",
                f"The form has more than {_MAX_FIELDS} fields beside the picture, or more than "
                f"{_MAX_FIELD_BYTES:,} bytes in them. Send the parameters that are needed.",
            )
        upload.add(_text(item.field_name), _text(item.value))

    _run_parser(body, content_type, on_field, files.append, lambda: ended.append(True))
    if not ended:
        raise Problem(
            400, "bad_body", "The form is cut short: its last boundary is missing. Send all of it."
        )
    names = [_text(item.field_name) for item in files]
    if names != ["image"]:
        found = ", ".join(map(repr, names)) or "none"
        raise _no_picture(f"The form's files are: {found}.")
    files[0].file_object.seek(0)
    upload.name, upload.picture = _text(files[0].file_name), files[0].file_object.read()


def _run_parser(
    body: bytes,
    content_type: str,
    on_field: Callable[[Any], None],
    on_file: Callable[[Any], None],
    on_end: Callable[[], None],
) -> None:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import FormParser, parse_options_header

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise Problem(
            400,
            "bad_body",
            "The form has no boundary in its Content-Type. Let the client set that header.",
        )
    config = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}  # never to disk
    try:
        parser = FormParser(MULTIPART, on_field, on_file, on_end, boundary, config=config)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem(
            400, "bad_body", f"The form cannot be taken apart: {error}. Send multipart/form-data."
        ) from error


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _no_picture(found: str) -> Problem:
    return Problem(
        422,
        "no_picture",
        f"There is no picture. {found} Send one picture: as the body, as the file "
        '"image" of a form, or as "image" of a JSON object in base64.',
    )
