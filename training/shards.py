"""Shards: tar files of pictures with their labels, the exchange format of generated data.

A shard folder holds ``shard-00000.tar``, ``shard-00001.tar``, … Each member pair
``00000042.jpg`` (or ``.png``) and ``00000042.json`` is one sample; the JSON is a row of
``labels.jsonl`` as the labelled photo folders use it:

* line strips: ``{"image", "text"}``;
* photos: ``{"image", "width", "height", "texts": [{"text", "quad", "ignore", "chars"}]}``, quads
  clockwise from the reading-order start in pixels.

A shard is written under a temporary name and moved into place, so a shard that exists is whole.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

__all__ = [
    "ShardError",
    "decode_picture",
    "list_shards",
    "read_encoded",
    "read_shard",
    "shard_path",
    "write_shard",
]


class ShardError(Exception):
    """A shard cannot be written or read."""


def shard_path(folder: Path | str, number: int) -> Path:
    """Return the path of shard ``number`` in ``folder``."""
    return Path(folder) / f"shard-{number:05d}.tar"


def list_shards(folder: Path | str) -> list[Path]:
    """Return the shards of ``folder`` in order.

    Raises:
        ShardError: If the folder does not exist or holds no shard.
    """
    shards = sorted(Path(folder).glob("shard-*.tar"))
    if not shards:
        raise ShardError(
            f"No shards in {folder}: found no shard-*.tar there. "
            "Write some with: python -m training synth --out DIR --count N"
        )
    return shards


def _encode(image: np.ndarray, suffix: str, quality: int) -> bytes:
    params = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    ok, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), params)
    if not ok:
        raise ShardError(f"OpenCV could not encode a picture of shape {image.shape} as {suffix}.")
    return data.tobytes()


def write_shard(
    path: Path | str,
    samples: Iterable[tuple[int, np.ndarray, dict[str, Any]]],
    *,
    quality: int = 95,
) -> int:
    """Write one shard and return the number of its samples.

    Args:
        path: The tar file; its folder is made if it is missing.
        samples: Triples (index, uint8 RGB picture (H, W, 3), record without ``"image"``).
        quality: JPEG quality of the stored pictures, 1 to 100.

    Raises:
        ShardError: If the file cannot be written (disk full, no permission); nothing is left.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            for index, image, record in samples:
                name = f"{index:08d}.jpg"
                row = json.dumps({"image": name, **record}, ensure_ascii=False).encode()
                for member, data in (
                    (name, _encode(image, ".jpg", quality)),
                    (f"{index:08d}.json", row),
                ):
                    info = tarfile.TarInfo(member)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
                count += 1
        temporary.replace(path)
    except OSError as error:
        raise ShardError(
            f"Could not write the shard {path}: {error.strerror or error}. "
            "Free some space or choose another --out; shards already written are kept."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def read_encoded(path: Path | str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield (encoded picture, record) for each sample of a shard, in order.

    Raises:
        ShardError: If the file is missing, damaged or holds a picture without its record.
    """
    try:
        if Path(path).stat().st_size % tarfile.RECORDSIZE:  # tarfile itself stops silently there
            raise tarfile.ReadError("it ends in the middle of a record")
        with tarfile.open(path) as tar:
            picture: tuple[str, bytes] | None = None
            for info in tar:
                stream = tar.extractfile(info)
                if stream is None:
                    continue
                data = stream.read()
                if not info.name.endswith(".json"):
                    picture = (info.name, data)
                    continue
                record = json.loads(data)
                if picture is None or picture[0] != record["image"]:
                    raise ShardError(f"{path}: {info.name} does not follow its picture.")
                yield picture[1], record
    except (OSError, tarfile.TarError, json.JSONDecodeError, KeyError) as error:
        raise ShardError(
            f"Could not read the shard {path}: {error}. Delete it and generate it again."
        ) from error


def decode_picture(data: bytes, name: str = "picture") -> np.ndarray:
    """Return the uint8 RGB picture (H, W, 3) of encoded bytes.

    Raises:
        ShardError: If the bytes are no picture; the message holds ``name``.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ShardError(f"{name} is not a readable picture.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_shard(path: Path | str) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Yield (uint8 RGB picture (H, W, 3), record) for each sample of a shard, in order.

    Raises:
        ShardError: If the file is missing, damaged or holds a picture without its record.
    """
    for data, record in read_encoded(path):
        yield decode_picture(data, f"{path}: {record['image']}"), record
