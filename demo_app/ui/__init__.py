"""The station's look: colors, icons and the widgets that every screen is made of."""
