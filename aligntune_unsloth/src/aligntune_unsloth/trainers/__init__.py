"""From a job to a trainer of TRL as Unsloth has rewritten it."""
