"""Models that are made on the spot."""
