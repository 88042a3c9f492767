"""What only this backend can refuse; no engine is imported."""
