"""Canonical rows as tokens, with a mark on those that are learned from."""
