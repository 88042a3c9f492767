"""The backends: which there are, what each declares, and what keeps one from being used here."""
