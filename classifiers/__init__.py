"""Training: estimators with one contract, model files, and evaluation.

Running a model needs nothing of this, see :mod:`handlore.models`.
"""
