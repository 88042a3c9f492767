"""What backends have in common, for their authors to use."""
