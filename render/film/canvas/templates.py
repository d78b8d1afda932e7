"""Templates: how an artist drew, to draw it again in less time while it looks the same."""

from __future__ import annotations

from matplotlib.artist import Artist

from render.film.canvas.commands import Command
from render.film.canvas.lines import LineTemplate
from render.film.canvas.patches import PatchTemplate
from render.film.canvas.texts import TextTemplate

Template = LineTemplate | TextTemplate | PatchTemplate


def template_of(artist: Artist, commands: list[Command]) -> Template | None:
    """Return a template of what an artist just drew, or None where there is none of its kind."""
    return (
        LineTemplate.of(artist, commands)
        or TextTemplate.of(artist, commands)
        or PatchTemplate.of(artist, commands)
    )
