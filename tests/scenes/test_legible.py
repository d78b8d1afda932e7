"""Every shipped scene can be read from the back row."""

import dataclasses

import pytest

from render.film.legibility import check
from render.scene import shipped


@pytest.mark.parametrize("name", [summary.name for summary in shipped()])
def test_the_check_finds_nothing(shipped_film, name):
    """In a film of three seconds and few frames, where axes that jump do so by more."""
    film = shipped_film(name)
    film = dataclasses.replace(film, seconds=min(film.frames / film.fps, 3), fps=10)
    assert [str(finding) for finding in check(film, stills=3)] == []
