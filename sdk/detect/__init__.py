"""Find the lines of text in a photo: the detector, its maps and tiles."""
