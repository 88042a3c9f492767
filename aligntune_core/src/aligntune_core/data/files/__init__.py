"""Data files on this machine: where they are, of which kind, and what is in them."""
