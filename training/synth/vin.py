"""Vehicle identification numbers, ISO 3779, with the check digit of 49 CFR 565.15."""

from __future__ import annotations

from random import Random

__all__ = ["check_digit", "is_vin", "sample_vin"]

_SYMBOLS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES = dict(zip(_LETTERS, map(int, "12345678123457923456789"), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_MAKERS = (
    "1FT", "1G1", "1HG", "1J4", "2C3", "2HG", "2T1", "3FA", "3VW", "4T1", "5YJ", "JHM", "JN1",
    "JTD", "KMH", "KNA", "LFV", "LSV", "MA3", "NM0", "SAL", "SCB", "TMB", "TRU", "U5Y", "VF1",
    "VF3", "VSS", "W0L", "WAU", "WBA", "WDB", "WVW", "XTA", "X4X", "YV1", "Z94", "ZAR", "ZFA",
)  # fmt: skip


def check_digit(vin: str) -> str:
    """Return the check digit, 0 to 9 or X, of a number of 17 characters."""
    total = sum(
        weight * (int(c) if c.isdigit() else _VALUES[c])
        for weight, c in zip(_WEIGHTS, vin, strict=True)
    )
    return "0123456789X"[total % 11]


def is_vin(text: str) -> bool:
    """Tell whether a text has the form of a number of 17 characters."""
    return len(text) == 17 and all(c in _SYMBOLS for c in text)


def sample_vin(rng: Random) -> str:
    """Return a random number of 17 characters; two of three have a right check digit."""
    maker = rng.choice(_MAKERS)
    model = "".join(rng.choices(_SYMBOLS, k=6))
    year, plant = rng.choice(_YEARS), rng.choice(_SYMBOLS)
    serial = f"{rng.randrange(10**6):06d}"
    vin = f"{maker}{model[:5]}{model[5]}{year}{plant}{serial}"
    if rng.random() < 0.67:
        vin = f"{vin[:8]}{check_digit(vin)}{vin[9:]}"
    style = rng.random()
    return f"*{vin}*" if style < 0.08 else f"VIN {vin}" if style < 0.13 else vin
