"""The two kinds of samples: what they are called, and what is used for each by default."""

from typing import Literal, get_args

from handlore.landmarks.errors import unknown_name

Kind = Literal["pose", "sequence"]

KINDS: tuple[Kind, ...] = ("sequence", "pose")
"""In the order of preference if a folder holds both."""

SHORT_NAMES: dict[Kind, str] = {"pose": "poses", "sequence": "movements"}
"""In headings and tables."""
KIND_NAMES: dict[Kind, str] = SHORT_NAMES | {"pose": "static poses"}
"""In sentences."""
KIND_WORDS: dict[Kind, str] = {"pose": "poses (single pictures)", "sequence": "movements (clips)"}
"""In messages about data that does not fit a model."""

DEFAULT_ESTIMATOR: dict[Kind, str] = {"pose": "kernel", "sequence": "rocket"}
"""The estimator that is trained unless another is named."""
READY_MODEL: dict[Kind, str] = {"pose": "everyday", "sequence": "movements"}
"""The ready-made model that messages name."""


def require_kind(kind: object) -> None:
    """Raise HandloreError unless something is a kind, or None for either."""
    if kind is not None and kind not in get_args(Kind):
        raise unknown_name("kind", str(kind), get_args(Kind))
