"""What cannot be drawn is named: the panel, the artist or text, and the script's line."""

import pytest
from matplotlib.lines import Line2D

from render import Film
from render.errors import SceneError
from render.film.drawing import Drawing


def bars(ax):
    """A panel that is drawn without a fault."""
    (line,) = ax.plot([], [])
    return lambda step: line.set_data([0, step], [0, step])


def broken(ax):
    raise RuntimeError("no data")


def without_axes():
    pass


def mistyped(ax):
    bar = ax.figure.colorbar(ax.imshow([[0, 1]]))
    return lambda step: bar.set_label("$\\foo$" if step == 3 else "")


class Prepared:
    def prepare(self, steps):
        raise RuntimeError("no data")

    def __call__(self, ax):
        return lambda step: None


def line_of(function):
    return f"test_fault.py, line {function.__code__.co_firstlineno}"


@pytest.mark.parametrize(
    ("panels", "options", "message"),
    [
        (
            [bars, broken],
            {},
            f"panel 1: test_fault.py, line {broken.__code__.co_firstlineno + 1}: ",
        ),
        ([without_axes], {}, f"panel 0: {line_of(without_axes)}: TypeError: without_axes"),
        ([bars, mistyped], {}, f"panel 1, drawing the text '$\\\\foo$': {line_of(mistyped)}: "),
        ([Prepared()], {}, "panel 0: test_fault.py, line "),
        (
            [bars],
            {"title": "Costs $5% of $x"},
            "title 'Costs $5% of $x': cannot be read as a formula from '$5% of $x' on: Expected "
            "end of text, found '$'; write \\$ for a dollar sign",
        ),
        ([bars], {"timeline": lambda frame: 1 // 0}, "timeline: test_fault.py, line "),
    ],
)
def test_a_failure_names_the_panel_and_the_scripts_line(tmp_path, panels, options, message):
    film = Film(panels, seconds=0.5, fps=10, size=(200, 100), **options)
    with pytest.raises(SceneError) as caught:
        film.save(tmp_path / "film.mp4")
    assert str(caught.value).startswith(message)


class Undrawable(Line2D):
    """Measured without a fault, as the layout does it."""

    def draw(self, renderer):
        raise ValueError("no")


def test_a_figure_names_the_panel_whose_artist_fails_when_it_is_saved(tmp_path):
    def panel(ax):
        ax.add_line(Undrawable([0, 1], [0, 1]))
        return lambda step: None

    figure = Film([bars, panel], size=(200, 100)).figure(0)
    with pytest.raises(SceneError, match=r"^panel 1, drawing its Undrawable: test_fault.py, line"):
        figure.savefig(tmp_path / "figure.png")


def test_a_failure_outside_of_any_artist_is_not_the_panels():
    drawing = Drawing(Film([bars], seconds=0.5, fps=10, size=(200, 100)))
    with pytest.raises(OSError, match="disk full"), drawing.theme():
        raise OSError("disk full")
