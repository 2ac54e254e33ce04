"""The colours of every window, RGB."""

from .paint import Color

GROUND: Color = (24, 28, 34)
RAISED: Color = (42, 48, 57)
WHITE: Color = (243, 246, 248)
GREY: Color = (150, 160, 171)
BLACK: Color = (0, 0, 0)
TEAL: Color = (25, 211, 162)
AMBER: Color = (255, 190, 60)
RED: Color = (240, 62, 76)
ORANGE: Color = (255, 138, 48)
BLUE: Color = (96, 165, 250)
