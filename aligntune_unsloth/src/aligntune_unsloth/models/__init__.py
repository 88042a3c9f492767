"""Unsloth's own way to load a model and to put adapters on it."""
