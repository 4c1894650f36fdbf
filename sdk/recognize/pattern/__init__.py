"""What a text may look like: regular expressions and templates, as finite automata."""
