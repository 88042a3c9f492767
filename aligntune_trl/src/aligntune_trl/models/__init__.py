"""Models by where they come from, and their tokenizers."""
