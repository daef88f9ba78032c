"""Export what was seeded, to files that other programs read: the same content gives the same bytes."""
