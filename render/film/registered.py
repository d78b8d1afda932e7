"""What a script has registered with matplotlib, for other processes to have it too."""

from __future__ import annotations

import locale
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
import matplotlib
from matplotlib import colors, scale
from matplotlib.colors import Colormap
from matplotlib.font_manager import fontManager
from matplotlib.projections import projection_registry

__all__ = ["Registered"]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """Names that drawing looks up outside of a figure.

    colormaps, sequences, scales: those that are not matplotlib's own. colours: all. fonts: files
    of all, in their order. projections: classes of axes that are not matplotlib's own. place: the
    locale that numbers are written in. Nothing of other libraries that one registers on import.
    """

    colormaps: Mapping[str, Colormap] = field(default_factory=dict)
    sequences: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    colours: Mapping[str, Any] = field(default_factory=dict)
    fonts: Sequence[str] = ()
    scales: Sequence[Any] = ()
    projections: Sequence[Any] = ()
    place: str = ""

    @classmethod
    def now(cls) -> Registered:
        """Return what is registered in this process."""
        maps, sequences = matplotlib.colormaps, matplotlib.color_sequences
        kinds = map(
            projection_registry.get_projection_class, projection_registry.get_projection_names()
        )
        own = maps._builtin_cmaps  # type: ignore[attr-defined]
        own_sequences = sequences._BUILTIN_COLOR_SEQUENCES  # type: ignore[attr-defined]
        known = scale._scale_mapping  # type: ignore[attr-defined]
        return cls(
            colormaps={name: maps[name] for name in maps if name not in own},
            sequences={name: sequences[name] for name in sequences if name not in own_sequences},
            colours=dict(colors.get_named_colors_mapping()),
            fonts=[entry.fname for entry in fontManager.ttflist],
            scales=[kind for kind in known.values() if not _is_matplotlibs(kind)],
            projections=[kind for kind in kinds if not _is_matplotlibs(kind)],
            place=locale.setlocale(locale.LC_ALL),
        )

    def register(self) -> None:
        """Register in this process what it lacks; a font's file or a locale may not be here."""
        for name, cmap in self.colormaps.items():
            matplotlib.colormaps.register(cmap, name=name, force=True)
        for name, sequence in self.sequences.items():
            matplotlib.color_sequences.unregister(name)
            matplotlib.color_sequences.register(name, sequence)
        colors.get_named_colors_mapping().update(self.colours)
        known = {entry.fname for entry in fontManager.ttflist}
        for file in self.fonts:
            if file not in known and Path(file).is_file():
                fontManager.addfont(file)
        for kind in self.scales:
            scale.register_scale(kind)
        projection_registry.register(*self.projections)
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, self.place)

    def __reduce__(self) -> Any:
        """Carry classes of a script, and not their names alone."""
        return _restore, (cloudpickle.dumps(vars(self)),)


def _restore(values: bytes) -> Registered:
    return Registered(**cloudpickle.loads(values))


def _is_matplotlibs(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("matplotlib", "mpl_toolkits")
