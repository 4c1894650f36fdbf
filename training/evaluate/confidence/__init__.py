"""Confidences that mean something: ``python -m training calibrate|reliability``."""
