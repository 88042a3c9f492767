"""What a model's name stands for, and models that are made on the spot."""
