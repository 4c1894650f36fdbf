"""The screens: each module is one, with its layout in the `.kv` file of its name."""
