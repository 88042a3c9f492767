"""The factory under the name that people know it by."""
