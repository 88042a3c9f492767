"""The TRL backend of AlignTune."""
