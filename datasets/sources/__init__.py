"""The layouts of image and video data that handlore knows, one small file each.

A new source is a module here with a class marked ``@SOURCES.register``, or an entry point of
another package. Importing this package reads no file of the user's.
"""

from ._recognition import find_source as find_source
from .base import SOURCES as SOURCES
from .base import Clip as Clip
from .base import Item as Item
from .base import LandmarkClip as LandmarkClip
from .base import Listing as Listing
from .base import Source as Source
from .base import UnclearLabelsError as UnclearLabelsError
from .base import make_source as make_source
