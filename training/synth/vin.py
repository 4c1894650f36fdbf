"""Vehicle identification numbers, ISO 3779, with the check digit of 49 CFR 565.15."""

from __future__ import annotations

from random import Random

from sdk.recognize.vehicle import LENGTH, SYMBOLS, check_digit

__all__ = ["is_vin", "sample_vin"]

_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
_MAKERS = (
    "1FT", "1G1", "1HG", "1J4", "2C3", "2HG", "2T1", "3FA", "3VW", "4T1", "5YJ", "JHM", "JN1",
    "JTD", "KMH", "KNA", "LFV", "LSV", "MA3", "NM0", "SAL", "SCB", "TMB", "TRU", "U5Y", "VF1",
    "VF3", "VSS", "W0L", "WAU", "WBA", "WDB", "WVW", "XTA", "X4X", "YV1", "Z94", "ZAR", "ZFA",
)  # fmt: skip


def is_vin(text: str) -> bool:
    """Tell whether a text has the form of a number of 17 characters."""
    return len(text) == LENGTH and all(c in SYMBOLS for c in text)


def sample_vin(rng: Random) -> str:
    """Return a random number of 17 characters; two of three have a right check digit."""
    maker = rng.choice(_MAKERS)
    model = "".join(rng.choices(SYMBOLS, k=6))
    year, plant = rng.choice(_YEARS), rng.choice(SYMBOLS)
    serial = f"{rng.randrange(10**6):06d}"
    vin = f"{maker}{model[:5]}{model[5]}{year}{plant}{serial}"
    if rng.random() < 0.67:
        vin = f"{vin[:8]}{check_digit(vin)}{vin[9:]}"
    style = rng.random()
    return f"*{vin}*" if style < 0.08 else f"VIN {vin}" if style < 0.13 else vin
