"""Runs: what a training leaves in its folder, and what can be made of the weights."""
