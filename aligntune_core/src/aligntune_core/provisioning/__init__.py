"""Making, adopting, checking and removing environments for backends."""
