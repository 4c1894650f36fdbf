"""Quantization: calibration, and quantization-aware tuning by self-distillation."""
