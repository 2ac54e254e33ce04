"""The hand detectors: one adapter per network runtime."""
