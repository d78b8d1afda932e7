"""Films of one panel, checked."""

import pytest

from render import Film
from render.film.legibility import check


@pytest.fixture
def found():
    """Check a film of one panel; return what was found, as text."""

    def found_in(panel, **settings):
        settings = {"seconds": 1, "fps": 10, "size": (640, 360)} | settings
        return [str(finding) for finding in check(Film([panel], **settings), stills=3)]

    return found_in


@pytest.fixture
def still():
    """A panel that draws once."""

    def still_of(draw):
        def panel(ax):
            ax.set(xlim=(0, 1), ylim=(0, 1))
            draw(ax)
            return lambda step: None

        return panel

    return still_of
