"""Read a line again from other candidate views where the first reading is unsure."""
