"""The layouts of image and video data that handlore knows, one small file each.

A new source is a module here with a class marked ``@register``; :func:`load_sources` finds it.
Reading this package reads no file of the user's.
"""

from .base import (
    Clip,
    Item,
    LandmarkClip,
    Source,
    find_source,
    load_sources,
    make_source,
    source_named,
)

__all__ = [
    "Clip",
    "Item",
    "LandmarkClip",
    "Source",
    "find_source",
    "load_sources",
    "make_source",
    "source_named",
]
