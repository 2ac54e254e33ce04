"""The layouts of image and video data that handlore knows, one small file each.

A new source is a module here with a class marked ``@SOURCES.register``, or an entry point of
another package. Importing this package reads no file of the user's.
"""

from .base import SOURCES, Clip, Item, LandmarkClip, Listing, Source, find_source, make_source

__all__ = [
    "SOURCES",
    "Clip",
    "Item",
    "LandmarkClip",
    "Listing",
    "Source",
    "find_source",
    "make_source",
]
