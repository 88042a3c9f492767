"""How a job is written and read: YAML, words on a command line, the schema."""
