"""Which checkpoint to go on from, whether it is whole, and whose it is; no engine is imported."""
