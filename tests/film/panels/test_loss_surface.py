"""The loss surface: contours that show the valley, paths that stand out, runs that leave."""

from functools import partial

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from render import Film, Keep, datasets, losses, models, panels, record, surfaces, sweep
from render.errors import InputError
from render.film.colours import contrast
from render.film.panels.contours import levels_of, shades
from render.film.theme import rc_params

VALLEY = surfaces.quadratic(10.0)
SGD = torch.optim.SGD


def walk(lr, steps=30, surface=VALLEY, **options):
    point = models.Point(*surface.start)
    return record(point, surface, optimizer=partial(SGD, lr=lr), steps=steps, **options)


def drawn(panel):
    """The axes of a panel, and its update."""
    ax = Figure(figsize=(6, 4)).subplots()
    return ax, panel(ax)


def lines(ax, label):
    """A run's path, and the halo that lies below it."""
    (path,) = (line for line in ax.lines if line.get_label() == label)
    drawn = [line for line in ax.lines if line is not path and line.get_linestyle() != "None"]
    (halo,) = (line for line in drawn if np.array_equal(line.get_xydata(), path.get_xydata()))
    return path, halo


def dots(ax):
    """The runs' current points, shape (n, 2), NaN for those that have left."""
    (found,) = (artist for artist in ax.collections if isinstance(artist, PathCollection))
    return np.ma.filled(found.get_offsets(), np.nan)


def words(ax):
    return [text.get_text() for text in ax.texts if "left" in text.get_text()]


@pytest.fixture(scope="module")
def stays():
    return walk(0.1)


@pytest.fixture(scope="module")
def leaves():
    return walk(0.5, steps=300)


# Contours


def test_each_shade_takes_a_fixed_share_of_the_picture():
    for height in (VALLEY, surfaces.rosenbrock):
        (left, right), (low, high) = height.domain
        heights = height(*np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200)))
        shares = np.histogram(heights, levels_of(heights))[0] / heights.size
        assert shares == pytest.approx(np.diff(np.linspace(0, 1, 16) ** 1.6), abs=1e-3)


def test_contours_show_the_floor_of_a_valley_between_high_walls():
    x = np.linspace(-2, 2, 200)
    heights = surfaces.rosenbrock(*np.meshgrid(x, np.linspace(-1, 3, 200)))
    floor = surfaces.rosenbrock(x, x**2).max()
    assert heights.max() > 200 * floor
    assert (levels_of(heights) < 2 * floor).sum() >= 4


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("linear", np.linspace(0, 1, 16)),
        ("log", [0, *np.logspace(-5, 0, 15)]),
        ((0.1, 0.5, 2.0), [0.1, 0.5, 2.0]),
    ],
)
def test_levels_can_be_chosen(levels, expected):
    heights = np.array([[0.0, 1.0], [np.nan, np.inf]])
    assert levels_of(heights, levels) == pytest.approx(expected)


@pytest.mark.parametrize("levels", ["percentile", (1.0,), (2.0, 1.0)])
def test_levels_that_cannot_be_are_named(levels):
    with pytest.raises(InputError, match="levels="):
        levels_of(np.arange(4.0), levels)


def test_a_flat_surface_has_contours_and_one_without_heights_is_an_error():
    assert (np.diff(levels_of(np.ones((3, 3)))) > 0).all()
    with pytest.raises(InputError, match="no height"):
        levels_of(np.full((3, 3), np.nan))


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_runs_stand_out_from_every_shade_and_from_their_halo(theme):
    with matplotlib.rc_context(rc_params(theme)):
        paper = matplotlib.rcParams["axes.facecolor"]
        for style in matplotlib.rcParams["axes.prop_cycle"]:
            assert (
                min(contrast(to_rgb(style["color"]), shade[:3]) for shade in shades(16))
                > 2.4 - 1e-9
            )
            assert contrast(to_rgb(style["color"]), to_rgb(paper)) >= 4.5


def test_the_surface_is_the_loss_over_the_whole_axes(stays):
    panel = panels.LossSurface(stays, x_range=(-3, 1), y_range=(-1, 2), grid=21, levels=(0, 1, 99))
    ax, _ = drawn(panel)
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-3, 1, -1, 2)
    filled = next(artist for artist in ax.collections if isinstance(artist, ContourSet))
    assert filled.levels.tolist() == [0, 1, 99]
    expected = VALLEY(*np.meshgrid(np.linspace(-3, 1, 21), np.linspace(-1, 2, 21)))
    assert panel._computed["loss"] == pytest.approx(expected, rel=1e-5, abs=1e-6)


# Paths


def test_a_path_grows_to_the_current_point_on_a_halo_of_paper(stays):
    ax, update = drawn(panels.LossSurface({"slow": stays}))
    for step in (0, 12, 30, 4):
        update(step)
        path, halo = lines(ax, "slow")
        assert path.get_xydata() == pytest.approx(stays.params[: step + 1])
        assert dots(ax)[0] == pytest.approx(stays.params[step])
        assert halo.get_linewidth() > path.get_linewidth()
        assert halo.get_zorder() < path.get_zorder()
        assert halo.get_color() == matplotlib.rcParams["axes.facecolor"]


def test_a_run_that_leaves_loses_its_dot_and_the_panel_says_when(stays, leaves):
    panel = panels.LossSurface({"slow": stays, "fast": leaves}, x_range=(-3, 3), y_range=(-2, 2))
    ax, update = drawn(panel)
    inside = (abs(leaves.params) <= [3, 2]).all(axis=1)
    left = int(np.flatnonzero(inside)[-1]) + 1
    update(left - 1)
    assert words(ax) == [] and np.isfinite(dots(ax)).all()
    for step in (left, 300):
        update(step)
        assert words(ax) == [f"fast: left the picture at step {left}"]
        assert np.isnan(dots(ax)[1]).all() and np.isfinite(dots(ax)[0]).all()
        assert len(lines(ax, "fast")[0].get_xydata()) == left + 1  # one outside: cut at the edge
    (text,) = (text for text in ax.texts if text.get_text().startswith("fast"))
    assert text.get_color() == lines(ax, "fast")[0].get_color()
    update(0)
    assert words(ax) == []


def test_words_can_be_chosen_or_left_out(leaves):
    for left, expected in (("left: {step}", ["left: 1"]), ("", [])):
        ax, update = drawn(panels.LossSurface(leaves, left=left, y_range=(-1, 1)))
        update(300)
        assert words(ax) == expected


def test_many_words_have_places_of_their_own_below_the_title(leaves):
    runs = {f"run {k}": leaves for k in range(5)}
    film = Film(
        [panels.LossSurface(runs, y_range=(-1, 1), title="five")], title="", size=(960, 540)
    )
    figure = film.figure(-1)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in ax.texts] + [ax._left_title.get_window_extent()]
    assert len(boxes) == 6
    assert all(box.y0 >= ax.bbox.y1 and figure.bbox.y1 >= box.y1 for box in boxes)
    assert not any(one.overlaps(two) for k, one in enumerate(boxes) for two in boxes[:k])


def test_a_run_that_comes_back_has_not_left():
    run = record(
        models.Point(-2.0, 0.8), VALLEY, optimizer=partial(SGD, lr=0.15, momentum=0.6), steps=60
    )
    ax, update = drawn(panels.LossSurface({"swings": run}, y_range=(-0.5, 0.9)))
    outside = np.flatnonzero(run.params[:, 1] < -0.5)
    assert outside.size
    update(60)
    assert words(ax) == []
    assert len(lines(ax, "swings")[0].get_xydata()) == 61


def test_steps_are_counted_where_rows_are_sparse():
    run = walk(0.5, steps=40, keep=Keep(every=4))
    ax, update = drawn(panels.LossSurface(run, x_range=(-3, 3), y_range=(-200, 200)))
    first = int(np.flatnonzero(abs(run.params[:, 1]) > 200)[0])
    update(4 * first - 1)
    assert words(ax) == []
    update(4 * first)
    assert words(ax) == [f"left the picture at step {4 * first - 3}\N{EN DASH}{4 * first}"]


def test_a_run_that_diverges_leaves_the_default_ranges_near_the_start(stays, leaves):
    assert leaves.diverged_at is not None
    for runs in (leaves, {"slow": stays, "fast": leaves}):
        ax, update = drawn(panels.LossSurface(runs, minima=VALLEY.minima))
        update(300)
        assert abs(np.array([ax.get_xlim(), ax.get_ylim()])).max() < 6
        assert all(
            np.isfinite(line.get_xydata()).all() and abs(line.get_xydata()).max() < 1e4
            for line in ax.lines
        )


def test_default_ranges_hold_the_whole_path_of_a_run_that_stays(stays):
    ax, _ = drawn(panels.LossSurface(stays, minima=[(2.0, 3.0)]))
    points = np.concatenate([stays.params, [[2.0, 3.0]]])
    for limits, column in zip((ax.get_xlim(), ax.get_ylim()), points.T, strict=True):
        assert limits[0] < column.min() and column.max() < limits[1]


def test_frames_are_the_same_in_any_order(stays, leaves):
    ax, update = drawn(panels.LossSurface({"slow": stays, "fast": leaves}, y_range=(-2, 2)))

    def picture(step):
        update(step)
        shown = [line.get_xydata().tolist() for line in ax.lines]
        return repr((shown, dots(ax).tolist(), words(ax)))

    pictures = {step: picture(step) for step in (0, 1, 5, 300)}
    assert all(picture(step) == pictures[step] for step in (300, 1, 0, 5))


# Minima, labels, aspect


def test_minima_are_marked_in_ink_below_the_paths_with_labels_off_them(stays):
    film = Film(
        [panels.LossSurface({"slow": stays}, minima={"floor": (0.0, 0.0), "here": (0.5, 0.4)})],
        title="",
    )
    figure = film.figure(-1)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    (stars,) = (line for line in ax.lines if line.get_marker() == "*")
    path, _ = lines(ax, "slow")
    assert stars.get_xydata().tolist() == [[0.0, 0.0], [0.5, 0.4]]
    assert stars.get_color() == rc_params("light")["axes.edgecolor"]
    assert stars.get_zorder() < path.get_zorder()
    labels = {text.get_text(): text.get_window_extent() for text in ax.texts}
    assert set(labels) == {"floor", "here"}
    for box in labels.values():
        assert not any(box.contains(*at) for at in ax.transData.transform(path.get_xydata()))
        assert ax.bbox.contains(*box.min) and ax.bbox.contains(*box.max)
    assert not labels["floor"].overlaps(labels["here"])


def test_plain_points_are_all_called_minimum(stays):
    ax, _ = drawn(panels.LossSurface(stays, minima=((0, 0), (-1, 0.5))))
    assert [text.get_text() for text in ax.texts] == ["minimum", "minimum"]


def test_title_labels_and_aspect_are_as_asked(stays):
    panel = panels.LossSurface(stays, title=VALLEY.formula, equal=True, x_label="a", y_label="b")
    ax, _ = drawn(panel)
    assert ax.get_aspect() == 1.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert ax.get_title(loc=matplotlib.rcParams["axes.titlelocation"]) == VALLEY.formula


def test_parameters_are_chosen_by_name_or_column():
    optimizer = partial(SGD, lr=0.1)
    data = datasets.line(8)
    run = record(models.Line(1.0, 2.0), data, loss=losses.mse, optimizer=optimizer, steps=3)
    for parameters in (("intercept", "slope"), (1, 0), (-1, -2)):
        ax, _ = drawn(panels.LossSurface(run, parameters=parameters))
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("intercept", "slope")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": ("x", "z")}, "no parameter 'z'"),
        ({"parameters": (0, 2)}, "no column 2; give 0 to 1"),
        ({"x_range": (1, 1)}, r"x_range=\(1, 1\)"),
        ({"y_range": (0, np.inf)}, "y_range"),
        ({"minima": [(1.0, 2.0, 3.0)]}, "minima="),
        ({"minima": [(1.0, 2.0), (3.0,)]}, "minima="),
    ],
)
def test_what_cannot_be_drawn_is_named(stays, options, message):
    with pytest.raises(InputError, match=message):
        panels.LossSurface(stays, **options)


def test_a_run_of_one_parameter_is_shown_otherwise():
    one = torch.nn.Linear(1, 1, bias=False)
    data = datasets.of(torch.ones(8, 1), torch.ones(8, 1))
    run = record(one, data, loss=losses.mse, optimizer=SGD, steps=3)
    with pytest.raises(InputError, match=r"has 1; show it .*, with Curve\(run, 'weight\[0,0\]'\)"):
        panels.LossSurface(run)
    assert panels.Curve(run, "weight[0,0]")


def test_runs_of_one_sweep_share_a_surface():
    runs = sweep(
        models.Point(*VALLEY.start), VALLEY, optimizer=SGD, lr=[0.01, 0.1, 0.19, 0.4], steps=50
    )
    ax, update = drawn(panels.LossSurface(runs, x_range=(-3, 1), y_range=(-1, 1)))
    update(50)
    assert len(dots(ax)) == 4
    assert len(words(ax)) == 1 and words(ax)[0].startswith("lr 0.4")


@pytest.mark.parametrize("lr", [0.3, 3.0, 1e4])
def test_a_run_that_leaves_at_once_is_shown_with_the_valley_that_it_crosses(lr):
    run = walk(lr)
    ax, _ = drawn(panels.LossSurface(run))
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    start = run.params[0]
    assert left < start[0] < right and low < -start[1] and start[1] < high
    assert right - left < 10 and high - low < 10
