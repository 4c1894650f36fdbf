"""Input of pictures: loading from any source, and fitting into a network's frame."""

from sdk.image.load import MAX_PIXELS, ImageArray, ImageSource, load_image

__all__ = ["MAX_PIXELS", "ImageArray", "ImageSource", "load_image"]
