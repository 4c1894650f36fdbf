"""The stages of reading a photo: find its lines, read them."""
