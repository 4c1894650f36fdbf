"""From a line crop to its text: the line network, CTC, patterns."""
