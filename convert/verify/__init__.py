"""Comparison of a bundle's variants with the Keras models."""
