"""What the tests of panels share."""

import matplotlib.pyplot as plt
import pytest

from render.film.theme import rc_params


@pytest.fixture
def ax():
    """Empty axes in the light theme."""
    with plt.rc_context(rc_params("light")):
        figure, ax = plt.subplots()
        yield ax
        plt.close(figure)
