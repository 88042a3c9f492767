"""How rows become tokens."""
