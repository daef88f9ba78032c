"""A request becomes a plan."""
