"""Checks of the plain values that `from_dict` reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Any

from sdk.errors import SdkError

__all__ = ["bad_value", "check_keys", "count", "list_of", "number", "text"]


def check_keys(data: object, kind: type, optional: Set[str] = frozenset()) -> None:
    """Check that a value is a mapping with the public fields of a dataclass as keys."""
    name = kind.__name__
    if not isinstance(data, Mapping):
        raise SdkError(
            f"Cannot read a {name}: found {type(data).__name__}. Pass what to_dict() returned."
        )
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    known = {name for name in fields if not name.startswith("_")}
    missing = sorted(known - optional - set(data))
    unknown = sorted(str(key) for key in set(data) - known)
    if missing or unknown:
        found = [f"without {', '.join(missing)}"] if missing else []
        found += [f"with unknown {', '.join(unknown)}"] if unknown else []
        raise SdkError(
            f"Cannot read a {name}: found one {' and '.join(found)}. "
            f"Use exactly the keys {', '.join(sorted(known))}."
        )


def bad_value(name: str, key: str, value: object, wanted: str) -> SdkError:
    """Return the error for a value. A long value is shortened."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return SdkError(f'Cannot read a {name}: "{key}" is {shown}. It must be {wanted}.')


def text(data: Mapping[str, Any], key: str, name: str) -> str:
    """Return the value of a key, checked to be a string."""
    value = data[key]
    if not isinstance(value, str):
        raise bad_value(name, key, value, "a string")
    return value


def number(data: Mapping[str, Any], key: str, name: str) -> float:
    """Return the value of a key, checked to be a finite number."""
    value = data[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise bad_value(name, key, value, "a finite number")
    return float(value)


def count(data: Mapping[str, Any], key: str, name: str) -> int:
    """Return the value of a key, checked to be a whole number of 0 or more."""
    value = data[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_value(name, key, value, "a whole number of 0 or more")
    return value


def list_of(data: Mapping[str, Any], key: str, name: str) -> list[Any]:
    """Return the value of a key, checked to be a list."""
    value = data[key]
    if not isinstance(value, (list, tuple)):
        raise bad_value(name, key, value, "a list")
    return list(value)
