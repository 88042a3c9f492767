"""What only this backend can refuse."""
