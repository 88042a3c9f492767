"""What stands in the way of training on this machine and in this environment: one module for each kind of finding."""
