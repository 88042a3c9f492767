"""The environments that backends live in beside the running one: where they are, and what was recorded of each."""
