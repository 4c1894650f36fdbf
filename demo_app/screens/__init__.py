"""The screens, one module each, with the layout in the `.kv` file of the same name."""
