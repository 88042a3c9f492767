"""A run in a process of its own: the job goes there and all that comes of it comes back, and nothing is pickled."""
