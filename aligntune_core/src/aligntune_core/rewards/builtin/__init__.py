"""The reward functions that come with AlignTune."""
