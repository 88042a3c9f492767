"""An example backend for AlignTune: a training loop in plain PyTorch."""
