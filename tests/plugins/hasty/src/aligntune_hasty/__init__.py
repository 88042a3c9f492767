"""A backend whose plugin imports its engine too early."""
