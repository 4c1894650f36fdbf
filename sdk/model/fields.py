"""Settings that check their own values: each dataclass field states its legal values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from sdk.errors import ModelError
from sdk.model.faults import wrong

__all__ = ["CheckedSettings", "choice", "flag", "group", "number", "parsed", "whole"]

_S = TypeVar("_S", bound="CheckedSettings")


def number(default: float, low: float, high: float) -> Any:
    """Return a dataclass field for a number from `low` to `high`."""
    return _field(
        default,
        f"a number from {low:g} to {high:g}",
        lambda value: _is_number(value) and low <= value <= high,
    )


def whole(default: int, low: int, high: int) -> Any:
    """Return a dataclass field for a whole number from `low` to `high`."""
    return _field(
        default,
        f"a whole number from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
    )


def flag(default: bool) -> Any:
    """Return a dataclass field for true or false."""
    return _field(default, "true or false", lambda value: type(value) is bool)


def choice(default: str, *names: str) -> Any:
    """Return a dataclass field for one of several names."""
    return _field(default, f"one of {', '.join(names)}", lambda value: value in names)


def parsed(
    default: Any, wanted: str, parse: Callable[[Any], Any], plain: Callable[[Any], Any]
) -> Any:
    """Return a dataclass field with its own conversion from and to JSON.

    Args:
        default: Default value.
        wanted: Description of the legal values, for messages.
        parse: Converts a JSON value or a field value to a field value. Raises ValueError.
        plain: Converts a field value to a JSON value.
    """
    return field(default=default, metadata={"wanted": wanted, "parse": parse, "plain": plain})


def group(kind: Callable[[], Any]) -> Any:
    """Return a dataclass field for a group of settings, a `CheckedSettings`."""
    return field(default_factory=kind, metadata={"group": kind})


def _field(default: Any, wanted: str, is_legal: Callable[[Any], bool]) -> Any:
    return field(default=default, metadata={"wanted": wanted, "is_legal": is_legal})


def _is_number(value: Any) -> bool:
    # bool is a subclass of int in Python
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """Base class of frozen dataclasses whose fields come from the functions above."""

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ModelError: A value has the wrong type or lies outside its range.
        """
        for f in fields(self):
            value, said = getattr(self, f.name), f.metadata
            if "group" in said:
                legal = isinstance(value, said["group"])
            elif "parse" in said:
                try:
                    object.__setattr__(self, f.name, said["parse"](value))
                except (TypeError, ValueError, ModelError) as error:
                    raise wrong(f'decode setting "{f.name}"', value, said["wanted"]) from error
                continue
            else:
                legal = said["is_legal"](value)
            if not legal:
                raise wrong(f'decode setting "{f.name}"', value, said.get("wanted", "an object"))

    @classmethod
    def from_dict(cls: type[_S], data: Any, where: str = "decode") -> _S:
        """Return the settings of a JSON object. Absent settings keep their defaults.

        Args:
            data: Values by name. A group is a nested mapping.
            where: Name of the object that holds the settings, for messages.

        Raises:
            ModelError: A name is unknown or a value is not legal.
        """
        if not isinstance(data, Mapping):
            raise wrong(where, data, "an object")
        known = {f.name: f.metadata.get("group") for f in fields(cls)}
        unknown = sorted(str(name) for name in set(data) - set(known))
        if unknown:
            raise ModelError(
                f"Unknown settings {', '.join(unknown)} in {where}; known are "
                f"{', '.join(known)}. Correct model.json, or update the SDK if the bundle is newer."
            )
        values = {
            name: kind.from_dict(data[name], f"{where}.{name}") if kind else data[name]
            for name, kind in known.items()
            if name in data
        }
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        plain = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if "group" in f.metadata:
                value = value.to_dict()
            elif "plain" in f.metadata:
                value = f.metadata["plain"](value)
            plain[f.name] = value
        return plain

    def get(self, path: str) -> Any:
        """Return the value at a path, such as "retry.photo.confidence".

        Raises:
            ModelError: No setting has this path.
        """
        value: Any = self
        for name in path.split("."):
            if not isinstance(value, CheckedSettings) or name not in _names(value):
                raise ModelError(f'There is no setting "{path}". See docs/accuracy.md.')
            value = getattr(value, name)
        return value

    def changed(self: _S, changes: Mapping[str, Any]) -> _S:
        """Return a copy of the settings with some values replaced.

        Args:
            changes: Values by path, such as ``{"retry.photo.confidence": 0.9}``.

        Raises:
            ModelError: No setting has this path, or a value is not legal.
        """
        settings = self
        for path, value in changes.items():
            settings.get(path)
            name, _, rest = path.partition(".")
            if rest:
                value = getattr(settings, name).changed({rest: value})
            settings = replace(settings, **{name: value})
        return settings

    def flat(self) -> dict[str, Any]:
        """Return all values by path, as plain values for JSON."""
        rows = {}
        for name, value in self.to_dict().items():
            inner = getattr(self, name)
            if isinstance(inner, CheckedSettings):
                rows.update({f"{name}.{path}": v for path, v in inner.flat().items()})
            else:
                rows[name] = value
        return rows


def _names(settings: CheckedSettings) -> set[str]:
    return {f.name for f in fields(settings)}
