"""Colours: contrast as the guidelines define it, and how colour-blind eyes see."""

import numpy as np
import pytest

from render.film.colours import VISIONS, contrast, difference, luminance, seen


def test_contrast_is_that_of_the_guidelines():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)) == 1
    grey = np.full(3, 0x76 / 255)  # the darkest grey that WCAG's own examples allow on white
    assert contrast(grey, (1, 1, 1)) == pytest.approx(4.54, abs=0.01)
    assert luminance(np.uint8([255, 0, 0])) == pytest.approx(0.2126)


def test_simulated_colour_blindness_confuses_red_with_brown_but_keeps_greys():
    for vision in VISIONS:
        assert seen((0.4, 0.4, 0.4), vision) == pytest.approx(
            seen((0.4, 0.4, 0.4), next(iter(VISIONS))), abs=1e-3
        )
    red, green = (0.75, 0.25, 0.0), (0.45, 0.35, 0.0)
    assert difference(red, green, "full colour vision") > 40
    assert difference(red, green, "protanopia") < 20


def test_delta_e_of_black_and_white_is_a_hundred():
    assert difference((0, 0, 0), (1, 1, 1), "full colour vision") == pytest.approx(100, abs=0.1)
