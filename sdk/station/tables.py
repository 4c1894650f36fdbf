"""TOML tables: from text to checked dataclasses, and back to text.

The standard library reads TOML but does not write TOML. The writer here supports the values of jobs
and settings: texts, numbers, truth values, lists of these, tables and lists of tables.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sdk.errors import JobError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["build", "dump_toml", "parse_toml", "read_text", "to_table"]

T = TypeVar("T")

# Far more than jobs and settings need. A device such as /dev/zero has no end.
MAX_BYTES = 1_000_000
MAX_DEPTH = 20


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Return the table in TOML text.

    Args:
        text: The document.
        source: Name of the document in messages.

    Raises:
        JobError: The text is not TOML, or has numbers beyond 64 bits, tables nested more than
            `MAX_DEPTH` deep, or texts with the character 0.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also for thousands of digits
        raise JobError(f"{source} is not valid TOML: {error}. Correct the text there.") from error
    _check_values(table, source)
    return table


def _check_values(table: dict[str, Any], source: str) -> None:
    waiting: list[tuple[str, int, Any]] = [(source, 0, table)]
    while waiting:  # without recursion, because the depth is not checked yet
        where, depth, value = waiting.pop()
        if depth > MAX_DEPTH:
            raise JobError(f"{source} holds tables more than {MAX_DEPTH} deep. Use fewer levels.")
        if isinstance(value, dict):
            waiting += [(f"{where}, {key}", depth + 1, item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(where, depth + 1, item) for item in value]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise JobError(f"{where} is a number beyond 64 bits. Give a smaller number.")
        elif isinstance(value, str) and "\0" in value:
            raise JobError(f"{where} holds the character 0. Remove this character.")


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        JobError: The file is missing, not readable, longer than `MAX_BYTES`, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the character 0 in the file name
        raise JobError(
            f"Cannot read {path}: {getattr(error, 'strerror', None) or error}. "
            "Check the path and its permissions."
        ) from error
    if len(data) > MAX_BYTES:
        raise JobError(f"Cannot read {path}: it has more than {MAX_BYTES} bytes. Shorten the file.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise JobError(f"Cannot read {path}: it is not UTF-8 text. Save it as UTF-8.") from error


def build(kind: type[T], table: object, where: str, **made: Any) -> T:
    """Return a dataclass made from a table. Absent fields keep their defaults.

    Args:
        kind: The dataclass. Its fields are texts, numbers, truth values, tuples or unions of these.
        table: A table from `parse_toml`.
        where: Name of the table in messages.
        **made: Values of fields that are not in the table.

    Raises:
        JobError: A key is unknown or missing, or a value has the wrong type or is not legal.
    """
    if not isinstance(table, Mapping):
        raise JobError(f"{where} is {table!r}. It must be a table.")
    types = get_type_hints(kind)
    fields = {
        f.name: f
        for f in dataclasses.fields(kind)  # type: ignore[arg-type]
        if f.init and f.name not in made
    }
    unknown = sorted(set(table) - set(fields))
    if unknown:
        raise JobError(f'{where} has the unknown key "{unknown[0]}". Use {", ".join(fields)}.')
    for name, field in fields.items():
        optional = (field.default, field.default_factory) != (dataclasses.MISSING,) * 2
        if name not in table and not optional:
            raise JobError(f'{where} has no "{name}". Add {_describe(types[name])}.')
    values = {
        # a field without repr holds a password or another secret
        name: _convert(value, types[name], f"{where}, {name}", shown=fields[name].repr)
        for name, value in table.items()
    }
    try:
        return kind(**values, **made)
    except JobError as error:
        raise JobError(f"{where}: {error}") from error


def to_table(value: Any) -> dict[str, Any]:
    """Return a dataclass as a table, without fields that equal their defaults."""
    table = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        factory = field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        if field.init and item != default and item is not None:
            table[field.name] = item
    return table


def dump_toml(table: Mapping[str, Any]) -> str:
    """Return a table as TOML text: plain values first, then tables and lists of tables.

    Raises:
        JobError: A value cannot be written.
    """
    blocks = list(_blocks(table, ()))
    return "\n".join(block for block in blocks if block)


def _blocks(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain, tables = [], []
    for key, value in table.items():
        here = (*path, _key(key))
        name = ".".join(here)
        if isinstance(value, Mapping):
            tables.append(f"[{name}]\n" + "\n".join(_blocks(value, here)))
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
            tables += [f"[[{name}]]\n" + "\n".join(_blocks(item, here)) for item in value]
        else:
            plain.append(f"{_key(key)} = {_value(value)}\n")
    return ["".join(plain), *tables]


def _key(key: str) -> str:
    bare = key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    return key if bare else _basic_string(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, str):
        # patterns have many backslashes, which need no escape in a literal string
        literal = "\\" in value and "'" not in value and value.isprintable()
        return f"'{value}'" if literal else _basic_string(value)
    raise JobError(f"Cannot write {value!r} as TOML. Use texts, numbers, lists and tables.")


def _basic_string(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise JobError(
            f"Cannot write {text!r} as TOML: it holds half a character. Remove this half."
        )
    # JSON's escapes are also TOML's, except for DEL, which JSON does not escape
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _convert(value: Any, kind: Any, where: str, *, shown: bool) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        for choice in get_args(kind):
            if choice is not NoneType and _fits(value, choice):
                return _convert(value, choice, where, shown=shown)
        raise _wrong(value, kind, where, shown=shown)
    if not _fits(value, kind):
        raise _wrong(value, kind, where, shown=shown)
    if origin is tuple:
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is ... else list(inner)
        pairs = zip(value, kinds, strict=True)
        return tuple(_convert(v, k, where, shown=shown) for v, k in pairs)
    if origin is dict:
        inner = get_args(kind)[1]
        return {k: _convert(v, inner, f"{where}.{k}", shown=shown) for k, v in value.items()}
    return float(value) if kind is float else value


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is tuple:
        inner = get_args(kind)
        return isinstance(value, (list, tuple)) and (inner[-1] is ... or len(value) == len(inner))
    if origin is dict:
        return isinstance(value, Mapping)
    # bool is a subclass of int, but "lines = true" is an error
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _wrong(value: Any, kind: Any, where: str, *, shown: bool) -> JobError:
    found = repr(value) if shown else "of another kind"
    return JobError(f"{where} is {found}. It must be {_describe(kind)}.")


def _describe(kind: Any) -> str:
    words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_describe(k) for k in inner if k is not NoneType)
    if origin is tuple:
        count = "" if inner[-1] is ... else f"{len(inner)} values, each "
        return f"a list of {count}{_describe(inner[0])}"
    return words.get(kind, "a table")
