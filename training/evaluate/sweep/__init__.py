"""Settings of decoding, chosen on generated photos: ``python -m training sweep``."""
