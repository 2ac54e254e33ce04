"""Estimators with one contract, and honest scores."""
