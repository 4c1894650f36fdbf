"""From network outputs to lines and text, in NumPy and OpenCV."""
