"""The one exception of the converter."""


class ConvertError(Exception):
    """A run cannot be converted, or what came out is not good enough.

    The message says what failed, what was found and what to do about it.
    """
