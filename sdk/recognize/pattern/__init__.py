"""Patterns of texts: regular expressions and templates, compiled to finite automata."""
