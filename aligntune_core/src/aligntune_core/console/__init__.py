"""Text on a stream: colour, bars, curves, progress, JSON."""
