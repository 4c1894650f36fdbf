"""Number-plate texts by country pattern.

In a pattern, L is a letter of the country's set, D a digit, N a digit except 0, X a letter or
digit; other characters are literal. A space or dash in a pattern is a separator that plates may
omit.
"""

from __future__ import annotations

from random import Random

_ALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NO_IOQ = "ABCDEFGHJKLMNPRSTUVWXYZ"
_NO_VOWELS = "BCDFGHJKLMNPRSTVWXYZ"

# weight, letters, patterns
_COUNTRIES: dict[str, tuple[float, str, tuple[str, ...]]] = {
    # most states omit I, O and Q, which are similar to 1 and 0; a repeated pattern is drawn twice
    # as often
    "us": (
        4.5,
        NO_IOQ,
        ("LLL DDDD", "LLL-DDDD", "DLLLDDD", "LLL DDD", "DDD LLL", "DDDD LL", "LL DDDDD", "LLDDLL",
         "DLL DDDD", "DDD-LLL", "LLL DLD", "LDDDDD", "DDDDDD", "DLLDDD", "DDL LDD", "LDD LLD",
         "LL-DDDDD", "NDD DLD", "DL DDDDD", "DDD DDD", "LLDDDDD", "LLD LDL", "LLD LDL", "LLL LDD",
         "LDD LLL", "DLLL DD", "DDL DDD", "DDDDDLD", "DLDDDDD", "L DDDDDD", "LLD DDDD"),
    ),
    "us-vanity": (1.0, _ALL, ("XXXXXXX", "XXXXXX", "XX XXX", "LLL LLL", "LLLLLLD", "LLLLDD")),
    "ca": (0.6, NO_IOQ, ("LLLL DDD", "LLL DDD", "DDD LLL", "LL DDDD", "LDD LDD", "LLL-DDDD")),
    "br": (1.5, _ALL, ("LLL-DDDD", "LLL DDDD", "LLLDDDD")),
    "br-mercosur": (1.2, _ALL, ("LLLDLDD", "LLL DLDD")),
    "ar": (1.6, _ALL, ("LLL DDD", "LLLDDD", "LLL-DDD")),
    "ar-mercosur": (1.4, _ALL, ("LL DDD LL", "LLDDDLL", "LDDDLLL")),
    "cl": (0.3, _NO_VOWELS, ("LLLL-DD", "LL-DD-DD", "LL DD DD", "LLLLDD")),
    "co": (0.3, _ALL, ("LLL DDD", "LLL-DDD")),
    "mx": (0.4, NO_IOQ, ("LLL-DD-DD", "LLL-DDD-L", "LDD-LLL", "DDD-LLL")),
    "uk": (1.0, NO_IOQ, ("LLDD LLL", "LDDD LLL", "LLL DDDL", "LLDDLLL")),
    "de": (1.0, _ALL, ("L LL NDDD", "LL L NDDD", "LLL LL NDD", "LL-LL NDDD", "L-LL NDDD",
                       "LL LL ND")),
    "fr": (0.8, NO_IOQ, ("LL-DDD-LL", "LL DDD LL", "DDDD LL DD", "DDD LLL DD")),
    "it": (0.6, NO_IOQ, ("LL DDDLL", "LLDDDLL", "LL DDD LL")),
    "es": (0.6, _NO_VOWELS, ("DDDD LLL", "DDDDLLL", "L DDDD LL")),
    "pt": (0.3, NO_IOQ, ("LL-DD-LL", "DD-LL-DD", "DD-DD-LL", "LL DD LL")),
    "nl": (0.5, _NO_VOWELS, ("LL-DDD-L", "D-LLL-DD", "DD-LL-LL", "LL-LL-DD", "L-DDD-LL")),
    "be": (0.3, _ALL, ("N-LLL-DDD", "LLL-DDD")),
    "sk": (0.8, _ALL, ("LL-DDDLL", "LLDDDLL", "LL DDDLL")),
    "cz": (0.5, NO_IOQ, ("DLD DDDD", "DLL DDDD", "LLL DD-DD")),
    "pl": (0.6, NO_IOQ, ("LL DDDDD", "LLL DDDD", "LL DDDDL", "LLL LDDD")),
    "at": (0.3, _ALL, ("L DDDDL", "LL DDDLL", "LL-DDDLL")),
    "ch": (0.3, "AFGJLNORSTUVWZBEHI", ("LL DDDDDD", "LL DDDDD", "LL-DDDDDD")),
    "hu": (0.4, _ALL, ("LLL-DDD", "LL LL-DDD")),
    "ro": (0.3, NO_IOQ, ("L DDD LLL", "LL DD LLL", "LL-DD-LLL")),
    "bg": (0.2, "ABEKMHOPCTYX", ("LL DDDD LL", "L DDDD LL")),
    "gr": (0.2, "ABEZHIKMNOPTYX", ("LLL-DDDD", "LLL DDDD")),
    "se": (0.3, NO_IOQ, ("LLL DDD", "LLL DDX")),
    "no": (0.2, NO_IOQ, ("LL DDDDD",)),
    "fi": (0.2, _ALL, ("LLL-DDD",)),
    "dk": (0.2, NO_IOQ, ("LL DD DDD",)),
    "ie": (0.2, _ALL, ("DDD-L-DDDDD", "DDD-LL-DDDD")),
    "hr": (0.2, NO_IOQ, ("LL DDDD-LL", "LL DDD-LL")),
    "ru": (0.4, "ABEKMHOPCTYX", ("LDDDLL DD", "LDDDLL DDD")),
    "ua": (0.2, "ABEKMHOPCTIX", ("LL DDDD LL",)),
    "tr": (0.4, NO_IOQ, ("DD L DDDD", "DD LL DDD", "DD LLL DD")),
    "in": (0.9, _ALL, ("LL DD LL DDDD", "LLDDLLDDDD", "LL-DD-LL-DDDD", "LL DD L DDDD",
                       "DD BH DDDD LL")),
    "my": (0.3, _ALL, ("LLL DDDD", "LL DDDD L", "LLLDDDD")),
    "au": (0.4, _ALL, ("LLL-DDD", "LLL DDD", "DLL DLL", "LL DD LL")),
    "za": (0.3, _NO_VOWELS, ("LL DD LL GP", "LLL DDD GP", "CA DDD-DDD")),
    "il": (0.2, _ALL, ("DD-DDD-DD", "DDD-DD-DDD")),
    "jp": (0.2, _ALL, ("DD-DD", "LLL DDD")),
    "cn": (0.2, NO_IOQ, ("L XXXXX", "L-DDDDD")),
}  # fmt: skip

COUNTRIES = tuple(_COUNTRIES)
_NAMES = list(_COUNTRIES)
_CHANCES = [entry[0] for entry in _COUNTRIES.values()]


def sample_plate(rng: Random, country: str | None = None) -> str:
    """Return the text of a random number plate.

    Args:
        rng: Random generator.
        country: One of `COUNTRIES`; None for a random one.

    Raises:
        ValueError: The country is unknown.
    """
    if country is None:
        country = rng.choices(_NAMES, _CHANCES)[0]
    elif country not in _COUNTRIES:
        raise ValueError(f"unknown plate country {country!r}: use one of {', '.join(COUNTRIES)}")
    _, letters, patterns = _COUNTRIES[country]
    text = fill(rng, rng.choice(patterns), letters)
    style = rng.random()
    if style < 0.25:
        return text.replace(" ", "").replace("-", "")
    return text.replace("-", " ") if style < 0.33 else text


def fill(rng: Random, pattern: str, letters: str = _ALL) -> str:
    """Replace the placeholders of a pattern: L letter, D digit, N digit 1 to 9, X either."""
    out = []
    for place in pattern:
        if place == "D":
            out.append(rng.choice("0123456789"))
        elif place == "L":
            out.append(rng.choice(letters))
        elif place == "N":
            out.append(rng.choice("123456789"))
        elif place == "X":
            out.append(rng.choice(letters + "0123456789"))
        else:
            out.append(place)
    return "".join(out)
