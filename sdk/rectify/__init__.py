"""Straighten a line of text into a line crop."""
