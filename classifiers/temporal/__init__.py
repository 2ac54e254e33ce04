"""A small temporal convolutional network for movements; the only package that needs PyTorch."""
