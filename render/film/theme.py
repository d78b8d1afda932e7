"""Themes: matplotlib settings that read well from the back row.

A theme is a complete set of rcParams, so a film looks the same whatever the user's own
matplotlibrc says. Sizes are for a figure 5.4 inches high, where 1 pt is 0.257% of the height:
no text is smaller than 10.5 pt, 2.7% of the picture's height. An upright figure is 5.4 inches
wide: there the width limits how large letters can be.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler

from render.errors import InputError

__all__ = ["SHORTER_SIDE_IN", "Theme", "rc_params", "theme_path"]

Theme = str | Path | Mapping[str, Any]

SHORTER_SIDE_IN = 5.4
"""Height of a figure, or width of an upright one, for which the themes' sizes are chosen."""

_DASHES = ["-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 2)), (0, (3, 1))]

# The settings that have no place in a theme: they belong to the process, not to the picture.
_NOT_LOOKS = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}

_LOOKS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelpad": 3.0,
    "axes.labelsize": 12.0,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.titlesize": 14.0,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.10,
    "figure.titlesize": 16.0,
    "figure.titleweight": "bold",
    "font.family": ["DejaVu Sans"],  # by name: a generic family is looked up when drawing
    "font.size": 11.0,
    "grid.linewidth": 0.6,
    "legend.fontsize": 11.0,
    "legend.framealpha": 0.9,
    "lines.linewidth": 2.2,
    "lines.markersize": 8.0,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
}


def _inked(ink: str, paper: str, faint: str, colors: list[str], cmap: str) -> dict[str, Any]:
    """Colour the looks: ink for text and axes, faint for the grid, one colour and dash a run."""
    return _LOOKS | {
        "axes.edgecolor": ink,
        "axes.facecolor": paper,
        "axes.labelcolor": ink,
        "axes.prop_cycle": cycler(color=colors) + cycler(linestyle=_DASHES),
        "figure.edgecolor": paper,
        "figure.facecolor": paper,
        "grid.color": faint,
        "image.cmap": cmap,
        "legend.edgecolor": faint,
        "legend.facecolor": paper,
        "legend.labelcolor": ink,
        "text.color": ink,
        "xtick.color": ink,
        "ytick.color": ink,
    }


# The colours keep a contrast of at least 3 to 1 with their paper.
_THEMES: dict[str, dict[str, Any]] = {
    "light": _inked(
        ink="#1b2733",
        paper="#ffffff",
        faint="#dde3e8",
        colors=["#c8400a", "#0060a8", "#00785a", "#8f3a86", "#4a3300", "#3d4b57"],
        cmap="GnBu",
    ),
    "dark": _inked(
        ink="#e8edf2",
        paper="#11161c",
        faint="#2b3540",
        colors=["#ff9a57", "#62b8f0", "#45cfa0", "#e59bd0", "#e8cb4a", "#c3ccd4"],
        cmap="cividis",
    ),
    # Ink on paper: no large dark areas, and colours that differ in grey too.
    "print": _inked(
        ink="#000000",
        paper="#ffffff",
        faint="#d8d8d8",
        colors=["#000000", "#a83200", "#2e6da4", "#757575", "#00694e", "#7b2d7b"],
        cmap="Greys",
    ),
}


def rc_params(theme: Theme) -> dict[str, Any]:
    """Return the full rcParams of a theme, to be used with `matplotlib.rc_context`.

    `theme` is "light", "dark", "print", the path of a matplotlib style file (laid over "light"),
    or a mapping of rcParams (laid over "light" too). Raises InputError for anything else.
    """
    defaults = {
        key: value for key, value in matplotlib.rcParamsDefault.items() if key not in _NOT_LOOKS
    }
    if isinstance(theme, str) and theme in _THEMES:
        return defaults | _THEMES[theme]
    own = _own_params(theme)
    if own.get("text.usetex") and shutil.which("latex") is None:
        raise InputError(
            f"theme {theme}: text.usetex needs LaTeX, and there is no program latex here; "
            "install it, or leave text.usetex out: formulas between dollar signs need none"
        )
    return defaults | _coloured(_THEMES["light"] | own)


def _coloured(params: dict[str, Any]) -> dict[str, Any]:
    """Give a property cycle without colours, such as one of markers, those of "light"."""
    styles = list(params["axes.prop_cycle"])
    if styles and "color" in styles[0]:
        return params
    colors = _THEMES["light"]["axes.prop_cycle"].by_key()["color"]
    both = cycler(color=colors) + cycler(
        **{key: [styles[i % len(styles)][key] for i in range(len(colors))] for key in styles[0]}
    )
    return params | {"axes.prop_cycle": both}


def theme_path(theme: str) -> str:
    """Return a theme by its name, or by the path of its file, which holds in any folder."""
    return theme if theme in _THEMES else os.path.abspath(theme)


def _own_params(theme: Theme) -> dict[str, Any]:
    """Read and check a user's style file or mapping."""
    try:
        if isinstance(theme, Mapping):
            checked = matplotlib.RcParams(dict(theme))
            return {str(key): value for key, value in checked.items()}
        if isinstance(theme, (str, Path)) and Path(theme).is_file():
            with _nothing_left_out():
                own = matplotlib.rc_params_from_file(theme, use_default_template=False)
            return {key: value for key, value in own.items() if key not in _NOT_LOOKS}
    except UnicodeDecodeError as error:
        raise InputError(
            f"theme {theme}: is not text in UTF-8; name a matplotlib style file, with lines "
            "KEY: VALUE"
        ) from error
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"theme {theme}: {' '.join(str(error).split())}") from error
    raise InputError(
        f"theme {theme!r} is neither {' nor '.join(map(repr, _THEMES))} "
        "nor the path of a matplotlib style file"
    )


@contextmanager
def _nothing_left_out() -> Iterator[None]:
    """Raise ValueError for lines of a style file that matplotlib only warns of and leaves out."""
    log = logging.getLogger("matplotlib")
    warnings: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        warnings.append(record.getMessage().strip().splitlines()[0])
        return False

    level = log.level
    log.addFilter(keep)
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeFilter(keep)
    if warnings:
        raise ValueError(
            f"{warnings[0]}; write lines KEY: VALUE, with keys and values of matplotlib.rcParams"
        )
