"""What the program shows, a file for each kind of answer."""
