"""How rows are kept: as Arrow files in a cache, or in memory, each row as it was."""
