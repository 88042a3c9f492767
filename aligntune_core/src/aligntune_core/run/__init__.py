"""From a verdict to a saved model."""
