"""The rows and the two sides of the table of bad jobs."""
