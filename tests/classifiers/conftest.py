"""What the tests of this room share."""

from few_parts import few_parts  # noqa: F401
