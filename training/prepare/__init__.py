"""Preparation of labeled pictures of lines: any common form of labels in, a labeled folder out."""
