"""From a job to TRL's trainers."""
