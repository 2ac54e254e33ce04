"""The estimators, one small file each; the name of a file is the name of its estimator."""
