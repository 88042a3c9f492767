"""A backend that takes the name of another one."""
