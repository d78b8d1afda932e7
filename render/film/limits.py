"""What a film can be at most and at least; the command line says so too."""

from __future__ import annotations

__all__ = ["MOST_FRAMES", "RATES", "RESOLUTIONS", "SIDES"]

SIDES = (54, 16384)
"""Width and height in pixels: letters of the themes' sizes are at least a pixel high."""

RESOLUTIONS = (10, 10_000)
"""Pixels an inch."""

RATES = (0.01, 240)
"""Frames a second."""

MOST_FRAMES = 1_000_000
"""Nine hours at 30 frames a second."""
