"""From a job to TRL's own names and numbers; no engine is imported."""
