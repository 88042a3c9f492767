"""The Unsloth backend of AlignTune."""
