"""Training: generated photographs in, a Keras FOTS-lite checkpoint out."""
