"""Evaluation of networks and bundles: measures, diagnosis, confidence, settings."""
