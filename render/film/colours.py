"""Contrast, and colours as they are seen.

Colours are arrays (..., 3) of sRGB values from 0 to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LUMINANCE", "VISIONS", "contrast", "difference", "linear", "luminance", "over", "seen"]

Array = npt.NDArray[Any]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""The shares of linear red, green and blue in relative luminance. Source: WCAG 2.2."""

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15(6), 2009, table 1, severity 1.0; they act on linear RGB.
VISIONS: dict[str, Array] = {
    "full colour vision": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}

# IEC 61966-2-1: linear sRGB to CIE XYZ, and the white it is relative to (D65).
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _XYZ.sum(axis=1)


def linear(colour: npt.ArrayLike) -> Array:
    """Return linear RGB; of bytes, those over 255. Source: WCAG 2.2, relative luminance."""
    values = np.asarray(colour)
    if values.dtype == np.uint8:
        return np.asarray(_LINEAR[values])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


_LINEAR = linear(np.arange(256) / 255)


def luminance(colour: npt.ArrayLike) -> Array:
    """Return the relative luminance, from 0 (black) to 1 (white). Source: WCAG 2.2."""
    return np.asarray(linear(colour) @ LUMINANCE)


def contrast(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the contrast ratio of two colours, from 1 to 21. Source: WCAG 2.2, 1.4.3."""
    first, second = luminance(a), luminance(b)
    light, dark = np.maximum(first, second), np.minimum(first, second)
    return np.asarray((light + 0.05) / (dark + 0.05))


def over(rgba: npt.ArrayLike, background: npt.ArrayLike) -> Array:
    """Return a colour with alpha, (..., 4), laid over an opaque background."""
    colour = np.asarray(rgba, dtype=float)
    alpha = colour[..., 3:]
    return np.asarray(alpha * colour[..., :3] + (1 - alpha) * np.asarray(background))


def seen(colour: npt.ArrayLike, vision: str) -> Array:
    """Return linear RGB as someone with one of `VISIONS` sees it."""
    return np.asarray(np.clip(linear(colour) @ VISIONS[vision].T, 0.0, 1.0))


def difference(a: npt.ArrayLike, b: npt.ArrayLike, vision: str) -> float:
    """Return how far apart two colours look: CIE 1976 Delta E, of which 2.3 is just noticeable."""
    return float(np.linalg.norm(_lab(seen(a, vision)) - _lab(seen(b, vision))))


def _lab(rgb: Array) -> Array:
    """Return CIE L*a*b* of linear RGB. Source: CIE 15:2004, 8.2.1."""
    relative = rgb @ _XYZ.T / _WHITE
    bend = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative * 841 / 108 + 4 / 29)
    x, y, z = np.moveaxis(bend, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
