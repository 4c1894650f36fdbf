"""Shards: tar files of pictures with their labels, the exchange format of generated data.

A shard folder holds ``shard-00000.tar``, ``shard-00001.tar``, … Each member pair
``00000042.jpg`` (or ``.png``) and ``00000042.json`` is one sample; the JSON is a row as in the
``labels.jsonl`` of labeled folders:

* line images: ``{"image", "text"}``;
* photos: ``{"image", "width", "height", "texts": [{"text", "quad", "ignore", "chars"}]}``, quads
  clockwise from the reading-order start in pixels.

A shard is written under a temporary name and moved into place, so an existing shard is complete.
Its first member, ``sha256.txt``, holds the SHA-256 of all bytes of the file after the 64 digits: a
damaged or shortened shard is refused before its first sample. Shards of earlier versions have no
such member; their tar structure is checked to the last byte.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image

from sdk.files import open_regular

__all__ = [
    "ShardError",
    "decode_picture",
    "list_shards",
    "picture_size",
    "read_encoded",
    "read_shard",
    "remove_unfinished",
    "shard_path",
    "write_encoded",
    "write_shard",
]


_UNFINISHED = ".tmp"
_SEAL = "sha256.txt"
_SEAL_DIGITS = slice(tarfile.BLOCKSIZE, tarfile.BLOCKSIZE + 64)


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
        ShardError: If the file cannot be written (disk full, no permission); no partial file is
            left.
    """
    return write_encoded(
        path,
        (
            (_encode(image, ".jpg", quality), {"image": f"{index:08d}.jpg", **record})
            for index, image, record in samples
        ),
    )


def write_encoded(path: Path | str, samples: Iterable[tuple[bytes, dict[str, Any]]]) -> int:
    """Write one shard of encoded pictures and return the number of its samples.

    Args:
        path: The tar file; its folder is made if it is missing.
        samples: Pairs (encoded picture, record), as of `read_encoded`; the names of the pictures,
            ``"image"`` of the records, differ.

    Raises:
        ShardError: If the file cannot be written (disk full, no permission); no partial file is
            left.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_UNFINISHED}")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, _SEAL, b"0" * 64 + b"\n")
            for picture, record in samples:
                name = record["image"]
                _add(tar, name, picture)
                row = json.dumps(record, ensure_ascii=False).encode()
                _add(tar, f"{Path(name).stem}.json", row)
                count += 1
        _seal(temporary)
        temporary.replace(path)
    except OSError as error:
        raise ShardError(
            f"Could not write the shard {path}: {error.strerror or error}. "
            "Free some space or choose another --out; shards already written are kept."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def remove_unfinished(paths: Iterable[Path]) -> None:
    """Remove the temporary files of killed writers of these shards."""
    for path in paths:
        for left in path.parent.glob(f".{path.name}.*{_UNFINISHED}"):
            left.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _seal(path: Path) -> None:
    """Write the digest of a shard into its first member."""
    with path.open("r+b") as file:
        digits = _digest(file)
        file.seek(_SEAL_DIGITS.start)
        file.write(digits)


def _digest(file: IO[bytes]) -> bytes:
    """Return the SHA-256 of all bytes after the digits, as hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(_SEAL_DIGITS.stop)
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest().encode()


def read_encoded(path: Path | str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield (encoded picture, record) for each sample of a shard, in order.

    Raises:
        ShardError: If the file is missing, damaged or holds a picture without its record. A damaged
            shard is refused before its first sample if it has a digest, otherwise after its last
            sample at the latest.
    """
    try:
        with open_regular(path) as file:
            _check_digest(file)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                yield from _samples(tar)
                _check_end(tar, file)
    # a damaged member can also hold numbers or names that tarfile does not expect
    except (OSError, tarfile.TarError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ShardError(
            f"Could not read the shard {path}: {reason}. Delete it and generate it again."
        ) from error


def _check_digest(file: IO[bytes]) -> None:
    """Refuse a file whose content differs from its digest; rewind the file."""
    head = file.read(_SEAL_DIGITS.stop)
    if head.startswith(_SEAL.encode() + b"\0") and _digest(file) != head[_SEAL_DIGITS]:
        raise tarfile.ReadError("it was changed after it was written (its SHA-256 differs)")
    file.seek(0)


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[bytes, dict[str, Any]]]:
    members = _members(tar)
    count = 0
    for name, picture in members:
        record = _record(*next(members, ("its end", b"{}")))
        if record.get("image") != name:
            raise tarfile.ReadError(f"{name} is not followed by its record")
        yield picture, record
        count += 1
    if not count:
        raise tarfile.ReadError("it holds no sample")


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for info in tar:
        stream = tar.extractfile(info) if info.type == tarfile.REGTYPE else None
        if stream is None:
            raise tarfile.ReadError(f"{info.name} is not a regular file")
        if info.name != _SEAL:
            yield info.name, stream.read()


def _record(name: str, data: bytes) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise tarfile.ReadError(f"{name} is not JSON ({error})") from error
    if not isinstance(record, dict):
        raise tarfile.ReadError(f"{name} holds no object")
    return record


def _check_end(tar: tarfile.TarFile, file: IO[bytes]) -> None:
    """Refuse a file with bytes after the last member, or of a wrong size.

    tarfile takes a damaged header, or a part overwritten with zeros, for the end of the archive.
    """
    size = file.seek(0, os.SEEK_END)
    # two empty blocks, then padding to the size of a record
    whole = -(-(tar.offset + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
    if size < whole:
        raise tarfile.ReadError("it ends in the middle of a record")
    file.seek(tar.offset)
    if size > whole or file.read().strip(b"\0"):
        raise tarfile.ReadError(f"its member at byte {tar.offset} is damaged")


def decode_picture(data: bytes, name: str = "picture") -> np.ndarray:
    """Return the uint8 RGB picture (H, W, 3) of encoded bytes.

    Raises:
        ShardError: If the bytes are not a picture; the message holds ``name``.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # no bytes at all, or more pixels than OpenCV takes
        image = None
    if image is None:
        raise ShardError(f"{name} is not a readable picture.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def picture_size(data: bytes, name: str = "picture") -> tuple[int, int]:
    """Return (width, height) of encoded bytes without decoding them.

    Raises:
        ShardError: If the bytes are not a picture; the message holds ``name``.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except Exception as error:  # Pillow's formats fail in many ways
        raise ShardError(f"{name} is not a readable picture.") from error


def read_shard(path: Path | str) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Yield (uint8 RGB picture (H, W, 3), record) for each sample of a shard, in order.

    Raises:
        ShardError: If the file is missing, damaged or holds a picture without its record.
    """
    for data, record in read_encoded(path):
        yield decode_picture(data, f"{path}: {record['image']}"), record
