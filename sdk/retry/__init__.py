"""Read a line again from other candidate views if the first reading has a low confidence."""
