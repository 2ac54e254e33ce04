"""The estimators, one small file each; importing this package imports none of them.

>>> ESTIMATORS.listed()
['forest', 'kernel', 'linear', 'rocket', 'tcn', 'xgboost']
"""

from typing import TYPE_CHECKING

from handlore.landmarks.registry import Registry

if TYPE_CHECKING:
    from ..base import HandEstimator

ESTIMATORS: "Registry[type[HandEstimator]]" = Registry(
    "estimator", "handlore.classifiers.estimators"
)
"""All estimators, those of other packages too (entry points ``handlore.estimators``)."""
