"""Colors, icons and widgets of all screens."""
