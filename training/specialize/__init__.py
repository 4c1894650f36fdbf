"""A reader for one product, from photos of it and the pattern of its texts."""
