"""Runs: run folders, checkpoints, initial weights, weight averaging, packing."""
