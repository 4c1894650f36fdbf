"""The one exception of the converter."""


class ConvertError(Exception):
    """A run cannot be converted, or the result is below its floors.

    The message says what failed, what was found and what to do about it.
    """
