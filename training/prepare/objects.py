"""Labels in JSON: one object a row (JSONL), a map or list of objects, and COCO.

An object has the text of its picture, or the texts of a photo with their quads, as labeled folders
have them (`training.data.labels`).

COCO comes from Roboflow, CVAT, Label Studio and others. A box with a text is a line, cropped from
its photo. Boxes whose categories are single characters are the characters of one line, read from
left to right: data sets of plates and meters are labeled in this way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.prepare.boxes import quad_of_points
from training.prepare.items import Item, split_named
from training.prepare.text_files import text_lines

__all__ = ["read_json", "read_jsonl"]

_PICTURE_KEYS = ("image", "image_path", "path", "file_name", "filename", "file", "img")
_TEXT_KEYS = ("text", "label", "transcription", "caption", "utf8_string", "plate_text", "gt")
_LARGEST_BYTES = 256 << 20
"""A JSON document is one value in memory; larger ones belong into JSONL."""


def read_jsonl(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the items of a file with a JSON object in each row.

    Raises:
        TrainingError: A row is not an object with a picture, or has another encoding.
    """
    for number, line in enumerate(text_lines(path, encoding), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield from _items(_parsed(line, where), where)


def read_json(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the items of a JSON document: COCO, a list of objects, or a map of picture to text.

    Raises:
        TrainingError: The document has none of these forms, is too large, or has another encoding.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise TrainingError(
            f"{path} is larger than {_LARGEST_BYTES >> 20} MB; a JSON document is read as a whole. "
            "Write the labels as JSONL, one object a row."
        )
    document = _parsed("".join(text_lines(path, encoding)), str(path))
    if isinstance(document, dict) and {"images", "annotations"} <= set(document):
        yield from _coco(document, path)
    elif isinstance(document, list):
        for number, entry in enumerate(document, 1):
            yield from _items(entry, f"{path}, entry {number}")
    elif isinstance(document, dict) and all(
        value is None or isinstance(value, str) for value in document.values()
    ):
        yield from (Item(picture, text) for picture, text in document.items())
    else:
        raise TrainingError(
            f"{path} is neither COCO (images and annotations), nor a list of objects, nor a map of "
            "pictures to texts."
        )


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"{where} is not JSON: {error}.") from error


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((entry[key] for key in keys if key in entry), None)


def _items(entry: Any, where: str) -> Iterator[Item]:
    picture = _first(entry, _PICTURE_KEYS) if isinstance(entry, dict) else None
    if not isinstance(picture, str):
        raise TrainingError(f"{where} is no object with a picture, such as {{'image': 'a.jpg'}}.")
    source, split = str(entry.get("source") or ""), split_named(entry.get("split", ""))
    if "texts" in entry:
        yield from _texts(entry["texts"], Item(picture, None, source or picture, split), where)
        return
    if not set(_TEXT_KEYS) & set(entry):
        raise TrainingError(
            f"{where} has no text; it has {', '.join(map(repr, entry))}. "
            f"A text has one of the names {', '.join(_TEXT_KEYS)}."
        )
    text = _first(entry, _TEXT_KEYS)
    if text is not None and not isinstance(text, (str, int)):
        raise TrainingError(f"{where}: the text is {text!r}, not a string.")
    label = None if text is None else str(text)
    yield Item(picture, label, source, split, case=entry.get("case") is not False)


def _texts(texts: Any, photo: Item, where: str) -> Iterator[Item]:
    """Yield the texts of a photo; the photo itself if it has none."""
    try:
        for text in texts:
            quad = quad_of_points(text["quad"]) if text.get("quad") else None
            label = None if text.get("ignore") or text["text"] is None else str(text["text"])
            yield replace(photo, text=label, quad=quad)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainingError(
            f"{where} is damaged ({type(error).__name__}: {error}): each of the texts has a text "
            "and a quad of four points."
        ) from error
    if not texts:
        yield photo


def _coco(document: dict[str, Any], path: Path) -> Iterator[Item]:
    try:
        images = {image["id"]: str(image["file_name"]) for image in document["images"]}
        categories = {c["id"]: str(c["name"]) for c in document.get("categories", ())}
        boxes: dict[Any, list[dict[str, Any]]] = {number: [] for number in images}
        for box in document["annotations"]:
            boxes[box["image_id"]].append(box)
        for number, name in images.items():
            yield from _photo(name, boxes[number], categories, split_named(path.parent.name))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise TrainingError(
            f"{path} is damaged COCO ({type(error).__name__}: {error}): an image has id and "
            "file_name, an annotation image_id, category_id and bbox."
        ) from error


def _photo(
    name: str, boxes: list[dict[str, Any]], categories: dict[Any, str], split: str
) -> Iterator[Item]:
    texts = [_text(box) for box in boxes]
    if any(text is not None for text in texts):
        for box, text in zip(boxes, texts, strict=True):
            yield Item(name, text, source=name, split=split, quad=_corners(box))
        return
    named = [(_corners(box), categories[box["category_id"]]) for box in boxes]
    characters = [(corners, c) for corners, c in named if len(c) == 1]
    if len(characters) != len(named) and not characters:
        yield Item(name, None, split=split)  # boxes of words without a text
        return
    characters.sort(key=lambda each: each[0][0])
    yield Item(name, "".join(c for _, c in characters) or None, split=split)


def _text(box: dict[str, Any]) -> str | None:
    attributes = box.get("attributes")
    found = _first(box, _TEXT_KEYS)
    if found is None and isinstance(attributes, dict):
        found = _first(attributes, (*_TEXT_KEYS, "ocr"))
    return None if found is None else str(found)


def _corners(box: dict[str, Any]) -> tuple[float, ...]:
    x, y, width, height = (float(value) for value in box["bbox"])
    return (x, y, x + width, y, x + width, y + height, x, y + height)
