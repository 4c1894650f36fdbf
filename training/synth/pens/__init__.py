"""Pens draw one line of text as a coverage mask: outline fonts, dot matrix, segments."""
