"""A small convolutional network for movements; the one room of the house that needs PyTorch."""
