"""A caption is its text at each step, line under line."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from render import Film, panels


def written(ax):
    """The lines of the captions in an axes, without the one that keeps their room."""
    return [text.get_text() for text in ax.texts if text.get_text().strip()]


def test_a_caption_is_its_text_at_each_step(ax):
    update = panels.Caption(lambda step: f"$k = {step}$", steps=5)(ax)
    update(3)
    assert written(ax) == ["$k = 3$"]
    assert not ax.axison
    panels.Caption("a formula: $x^2$")(ax)(9)
    assert "a formula: $x^2$" in written(ax)


def test_words_do_not_say_how_many_steps_a_film_has():
    film = Film([lambda ax: lambda step: None, panels.Caption("words")], seconds=2)
    assert film.last_step is None and film.shown_steps[-1] == film.frames - 1
    assert Film([panels.Caption(str, steps=7), panels.Caption("words")]).last_step == 7


def test_lines_that_a_step_does_not_have_go_and_come_again(ax):
    update = panels.Caption(lambda step: "\n".join("abc"[:step]), steps=3)(ax)
    for step in (3, 1, 2, 0, 3):
        update(step)
        assert written(ax) == list("abc"[:step])


def test_a_caption_breaks_lines_that_are_wider_than_its_panel():
    figure, axes = plt.subplots(figsize=(3, 2))
    words = "a line of words that is a good deal wider than three inches"
    panels.Caption(words)(axes)(0)
    lines = [text for text in axes.texts if text.get_text().strip()]
    assert len(lines) > 1 and " ".join(line.get_text() for line in lines) == words
    for line in lines:
        assert line.get_window_extent().width <= 1.02 * axes.bbox.width
    plt.close(figure)


def test_lines_stand_evenly_whatever_is_written_in_them():
    """Seen in the pixels: each line begins with an E, whose foot stands on the line."""
    figure = plt.figure(figsize=(4, 3), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    panels.Caption("E\nE gy\nE |(f)\nE no\nE $x^2$\nE", size_pt=12)(axes)(0)
    figure.canvas.draw()
    letter = np.asarray(figure.canvas.buffer_rgba())[:, :16, 0].min(axis=1) < 128
    feet = np.flatnonzero(letter[:-1] & ~letter[1:])
    assert len(feet) == 6
    assert np.diff(feet) == pytest.approx(1.5 * 12 * 200 / 72, abs=1)
    plt.close(figure)


def test_formulas_that_are_higher_than_letters_do_not_touch():
    figure = plt.figure(figsize=(4, 3), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    high = r"$\frac{\sum_i^n x_i^2}{\sqrt{\frac{a}{b}}}$"
    panels.Caption(f"{high}\n{high}\nwords", size_pt=12)(axes)(0)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text().strip()]
    for above, below in itertools.pairwise(boxes):
        assert above.y0 >= below.y1
    plt.close(figure)
