"""Every shipped scene can be read from the back row."""

import pytest

from render.film.legibility import check
from render.scene import shipped


@pytest.mark.parametrize("name", [summary.name for summary in shipped()])
def test_the_check_finds_nothing(shipped_film, name):
    assert [str(finding) for finding in check(shipped_film(name))] == []
