"""Comparison of bundles and variants on labeled sets: size, time, memory, accuracy."""
