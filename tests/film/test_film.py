"""Films: a frame is a pure function of its number."""

import hashlib
import io
import math
import pickle
import subprocess
import sys
import zlib
from functools import partial

import matplotlib
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mpl_toolkits.axes_grid1 import make_axes_locatable
from mpl_toolkits.axes_grid1.inset_locator import inset_axes

from render import Film, Timeline
from render.errors import InputError
from render.film.drawing import Drawing
from render.scene import shipped

SCENES = [summary.name for summary in shipped()]


def pixels(figure):
    """The figure's pixels, drawn in full by matplotlib."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return hashlib.sha256(bytes(canvas.buffer_rgba())).hexdigest()


def saved(figure):
    """The figure as `savefig` writes it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba")
    return buffer.getvalue()


def bars(ax):
    """A lecturer's own panel: five lines of matplotlib."""
    (line,) = ax.plot([], [])
    ax.set(xlim=(0, 10), ylim=(0, 100))

    def update(step):
        line.set_data([0, step], [0, step**2])

    return update


@pytest.mark.parametrize("name", SCENES)
def test_a_frame_is_the_same_whatever_was_shown_before(shipped_film, name):
    film = small(shipped_film, name)
    one, other = film.frames // 3, zlib.crc32(name.encode()) % film.frames
    drawing = Drawing(film)
    with drawing.theme():
        drawing.show(one)
        first = pixels(drawing.figure)  # what a new figure shows
        drawing.show(other)
        pixels(drawing.figure)
        drawing.show(one)
        assert pixels(drawing.figure) == first


def test_pickled_films_draw_the_same_pixels_in_another_process(shipped_film, tmp_path):
    films = [small(shipped_film, name) for name in SCENES[::8]]
    (tmp_path / "films.pickle").write_bytes(pickle.dumps(films))
    code = (
        "import hashlib, pickle\n"
        "from matplotlib.backends.backend_agg import FigureCanvasAgg\n"
        "for film in pickle.load(open('films.pickle', 'rb')):\n"
        "    canvas = FigureCanvasAgg(film.figure(film.frames // 3))\n"
        "    canvas.draw()\n"
        "    print(hashlib.sha256(bytes(canvas.buffer_rgba())).hexdigest())\n"
    )
    done = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    here = [pixels(film.figure(film.frames // 3)) for film in films]
    assert done.communicate()[0].split() == here


SMALL = {}


def small(shipped_film, name):
    """The scene's film at a small size, the same object each time."""
    if name not in SMALL:
        film = shipped_film(name)
        SMALL[name] = film.resized(round(180 * film.size[0] / film.size[1]), 180)
    return SMALL[name]


def test_a_function_of_axes_is_a_panel_and_shows_a_step_a_frame():
    film = Film([bars], seconds=0.5, fps=10, size=(200, 100))
    assert film.frames == 5
    assert film.shown_steps.tolist() == [0, 1, 2, 3, 4]
    (axes,) = film.figure(3).axes
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [3, 9]]


def test_frames_follow_from_seconds_and_rate_or_from_every():
    assert Film([bars], seconds=12, fps=30).frames == 360
    assert Film([bars], fps=25).frames == 250
    assert Film([bars], steps=570, timeline=Timeline(every=30), fps=10).frames == 20
    assert Film([bars], steps=571, timeline=Timeline(every=30), fps=10).frames == 21
    held = Timeline(every=1, hold_end=1)
    assert Film([bars], steps=9, timeline=held, fps=10).frames == 20


def test_a_timeline_can_be_a_function():
    film = Film([bars], seconds=1, fps=5, timeline=lambda frame: 10 - frame)
    assert film.shown_steps.tolist() == [10, 9, 8, 7, 6]


def test_negative_frames_count_from_the_end():
    film = Film([bars], seconds=1, fps=5, size=(200, 100))
    assert pixels(film.figure(-1)) == pixels(film.figure(4))
    with pytest.raises(InputError, match="frame 5 is not among the film's 5 frames"):
        film.figure(5)


def test_size_in_pixels_is_exact_at_every_resolution():
    for size, dpi in [((1920, 1080), None), ((641, 359), None), ((500, 400), 100)]:
        figure = Film([bars], size=size, dpi=dpi).figure(0)
        assert FigureCanvasAgg(figure).get_width_height() == size


def test_a_figure_that_a_panel_resizes_keeps_its_size():
    def panel(ax):
        return lambda step: ax.figure.set_size_inches(1 + step, 2)

    film = Film([panel], size=(320, 180))
    drawing = Drawing(film)
    for frame in (0, 3):
        drawing.show(frame)
        assert drawing.figure.bbox.size.tolist() == [320, 180]


def test_another_size_is_the_same_composition():
    film = Film([bars], size=(500, 400), dpi=100)
    large = film.resized(1000, 800)
    assert large.figure(0).get_size_inches() == pytest.approx(film.figure(0).get_size_inches())


@pytest.mark.parametrize(
    ("size", "inches"),
    [((1920, 1080), (9.6, 5.4)), ((1080, 1080), (5.4, 5.4)), ((1080, 1920), (5.4, 9.6))],
)
@pytest.mark.parametrize("dpi", [None, 100])
def test_letters_are_made_for_the_shorter_side(size, inches, dpi):
    film = Film([bars], size=(960, 540), dpi=dpi).resized(*size)
    assert [side / film.dots_per_inch for side in film.size] == pytest.approx(inches)


def test_labels_in_a_layout_within_a_layout_stay_near_their_axes():
    def panel(ax):
        ax.set(xlabel="x", ylabel="y")
        return lambda step: None

    film = Film(dict.fromkeys("abc", panel), mosaic=[["a", [["b"], ["c"]]]], size=(640, 360))
    for ax in film.figure(0).axes:
        axes, label = ax.get_window_extent(), ax.yaxis.label.get_window_extent()
        assert axes.x0 - 50 < label.x0 < axes.x0
        assert axes.y0 - 50 < ax.xaxis.label.get_window_extent().y0 < axes.y0


@pytest.mark.parametrize("condition", [1.01, 2.0, 40.0])
def test_labels_of_axes_of_a_fixed_shape_stay_in_the_picture(shipped_film, condition):
    film = shipped_film("momentum", condition=condition, steps=60).resized(1280, 720)
    label = film.figure(0).axes[0].yaxis.label
    assert label.get_window_extent().x0 > -1


def test_axes_do_not_move_between_frames(shipped_film):
    film = small(shipped_film, "linear_regression")
    places = [
        [ax.get_position().bounds for ax in film.figure(frame).axes] for frame in (0, 100, -1)
    ]
    assert places[0] == places[1] == places[2]


def test_animation_is_a_real_one_and_shows_the_same_frames():
    film = Film([bars], seconds=0.5, fps=10, size=(200, 100))
    animation = film.animation()
    assert isinstance(animation, FuncAnimation)
    animation._init_draw()
    for frame, data in enumerate(animation.new_saved_frame_seq()):
        animation._draw_next_frame(data, blit=False)
        assert pixels(animation._fig) == pixels(film.figure(frame))
    assert frame == 4


@pytest.mark.parametrize("frame", [1.5, "1", None, True])
def test_a_frame_has_a_whole_number(frame):
    with pytest.raises(InputError, match=f"frame={frame!r} is not a frame's number"):
        Film([bars], size=(100, 100)).figure(frame)


def test_a_film_ignores_the_users_matplotlib_settings():
    film = Film([bars], seconds=1, fps=5, size=(200, 100))
    before = pixels(film.figure(2))
    matplotlib.rcParams.update({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"})
    assert pixels(film.figure(2)) == before


def test_a_figure_is_saved_as_its_theme_says():
    film = Film([bars], seconds=1, fps=5, size=(200, 100))
    before = saved(film.figure(2))
    mine = {"savefig.bbox": "tight", "savefig.dpi": 50, "savefig.facecolor": "red"}
    matplotlib.rcParams.update(mine | {"savefig.transparent": True})
    assert saved(film.figure(2)) == before
    themed = Film([bars], seconds=1, fps=5, size=(200, 100), theme={"savefig.facecolor": "red"})
    assert saved(themed.figure(2)) != before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps=0 is not a rate from 0.01 to 240 frames a second"),
        ({"fps": 0.0004}, "fps=0.0004 is not a rate from 0.01"),
        ({"fps": "30"}, "fps='30' is not a rate"),
        ({"fps": float("nan")}, "fps=nan is not a rate"),
        ({"seconds": 0}, "seconds=0 is not a length above 0"),
        ({"seconds": "3"}, "seconds='3' is not a length"),
        ({"seconds": 1e9}, "is not a length .* of at most 1,000,000 frames at 30 fps"),
        ({"steps": 10**7, "timeline": Timeline(every=1)}, "would have 10,000,001 frames"),
        ({"size": (0, 100)}, r"size=\(0, 100\) is not a width and a height"),
        ({"size": (640.0, 360)}, "whole pixels"),
        ({"size": (100, 53)}, "in whole pixels from 54 to 16384"),
        ({"size": 5}, "size=5 is not a width and a height"),
        ({"dpi": 0}, "dpi=0 is not a resolution from 10 to 10000 pixels an inch"),
        ({"dpi": "x"}, "dpi='x' is not a resolution"),
        ({"steps": -1}, "steps=-1 is not a step number"),
        ({"steps": 2.5}, "steps=2.5 is not a step number"),
        ({"theme": "neon"}, "theme 'neon' is neither"),
        ({"theme": None}, "theme None is neither"),
        ({"title": 5}, "title=5 is not text"),
        ({"mosaic": 5}, "mosaic=5 is not a layout such as 'AAB'"),
        ({"width_ratios": [0]}, r"width_ratios=\[0\] is not a list of numbers above 0"),
        ({"height_ratios": 2}, "height_ratios=2 is not a list"),
        ({"timeline": "slow"}, "pace='slow' is not one of"),
        ({"timeline": None}, "timeline=None is not a Timeline, a pace"),
        ({"timeline": Timeline}, "is not a Timeline, a pace"),
        ({"panels": []}, "at least one panel"),
        ({"panels": bars}, r"is not a list of panels; write Film\(\[panel\]\)"),
        ({"panels": [3]}, "'int' is not a panel"),
        ({"panels": [dict]}, "panel 0 is the class dict itself; make a panel of it"),
    ],
)
def test_what_cannot_be_a_film_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Film(**({"panels": [bars]} | options))


def yields(step):
    yield step


async def waits(step):
    return step


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Film({"A": bars}, mosaic="AB"), "the mosaic has places for A, B, the panels"),
        (lambda: Film({"A": bars}, mosaic="AB\nBA"), "mosaic 'AB\\\\nBA'"),
        (lambda: Film({"A": bars}, mosaic=[["A", "A"], 5]), "mosaic .*5"),
        (lambda: Film([lambda ax: None]), "panel 0 returned 'NoneType'"),
        (lambda: Film([lambda ax: yields]), "panel 0 returned a function that only a loop would"),
        (lambda: Film([lambda ax: partial(waits)]), "be a plain function: without yield, await"),
        (lambda: Film([bars], timeline=lambda frame: -frame), "frame 1 shows step -1, and the"),
        (
            lambda: Film([bars], timeline=lambda frame: frame / 2),
            "frame 1 shows step 0.5, which is",
        ),
        (lambda: Film([bars], timeline=lambda frame: math.inf), "frame 0 shows step inf, which is"),
        (lambda: Film([bars], timeline=lambda frame: None), "frame 0 shows step None, which is"),
        (
            lambda: Film([bars], steps=9, timeline=lambda frame: frame),
            "frame 10 shows step 10, and the steps are 0 to 9",
        ),
    ],
)
def test_a_film_that_cannot_be_drawn_says_why(make, message):
    with pytest.raises(InputError, match=message):
        make().figure(0)


@pytest.mark.parametrize("size", [(54, 54), (16384, 54), (np.int64(96), 54)])
def test_the_smallest_and_the_longest_picture_can_be_drawn(size):
    def panel(ax):
        ax.set(yscale="log", ylim=(1, 100), title="$x^{2^{2}}$")
        return lambda step: None

    assert pixels(Film([panel], size=size, title="A title").figure(0))


def test_numbers_may_be_numpys():
    numbers = {"fps": np.float32(10), "seconds": np.float64(1), "steps": np.int64(9)}
    film = Film([bars], size=np.array([200, 100]), **numbers)
    assert repr((film.fps, film.seconds, film.steps, film.size)) == "(10.0, 1.0, 9, (200, 100))"


def test_numbers_of_frames_are_ints():
    assert isinstance(Film([bars], seconds=0.1).frames, int)
    assert Film([bars], seconds=0.001, fps=1).frames == 1
    assert np.issubdtype(Film([bars]).shown_steps.dtype, np.integer)


def test_axes_of_mpl_toolkits_stand_where_they_were_put():
    def panel(ax):
        image = ax.imshow([[0, 1]])
        inset_axes(ax, "30%", "30%", loc="lower left").plot([0, 1])
        ax.figure.colorbar(image, cax=make_axes_locatable(ax).append_axes("right", "5%"))
        return lambda step: image.set_data([[step, 1]])

    figure = Film([panel], seconds=1, fps=10, size=(480, 270), title="").figure(3)
    pixels(figure)
    whole, inset, bar = (ax.get_window_extent() for ax in figure.axes)
    assert inset.width == pytest.approx(0.3 * whole.width) and whole.contains(*inset.max)
    assert bar.height == pytest.approx(whole.height) and bar.x0 > whole.x1


@pytest.mark.parametrize("size", [(960, 540), (1920, 1080), (540, 540)])
def test_axes_of_a_fixed_shape_keep_off_the_films_title(size):
    """Their own title stands higher once the layout has let them grow."""

    def panel(ax):
        ax.set_aspect("equal", anchor="S")
        ax.set(xlim=(0, 2.15), ylim=(0, 1), xlabel="x", ylabel="y")
        ax.set_title("high above the axes", pad=30)
        return lambda step: None

    film = Film([panel], title="The film's title", seconds=1, size=size)
    figure = film.figure(-1)
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    assert figure.axes[0]._left_title.get_window_extent().y1 <= title.y0
