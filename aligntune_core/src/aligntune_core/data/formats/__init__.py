"""The formats that datasets come in, and how their rows become canonical ones."""
