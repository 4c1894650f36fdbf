"""Pens: a line of text as a coverage mask, by outline fonts, dot matrix or segments."""
