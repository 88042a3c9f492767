"""A backend whose plugin can't be imported."""
