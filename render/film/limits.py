"""What a film can be at most and at least; the command line says so too."""

from __future__ import annotations

__all__ = ["MOST_FRAMES", "MOST_STEPS", "RATES", "RESOLUTIONS", "SIDES", "TINY"]

SIDES = (54, 16384)
"""Width and height in pixels: letters of the themes' sizes are at least a pixel high."""

RESOLUTIONS = (10, 10_000)
"""Pixels an inch."""

RATES = (0.01, 240)
"""Frames a second."""

MOST_FRAMES = 1_000_000
"""Nine hours at 30 frames a second."""

MOST_STEPS = 2**62

TINY = 5e-324
"""The smallest number above 0."""
