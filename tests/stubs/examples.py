"""How many examples hypothesis draws: many with ``--hypothesis-profile=thorough``, else a few."""

from hypothesis import settings


def examples(n: int, **more: object) -> settings:
    """Return settings with so many examples where thorough is asked for, and a sixth otherwise."""
    thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=n if thorough else n // 6, **more)
