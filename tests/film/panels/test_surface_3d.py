import itertools
from functools import partial

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from render import Film, Timeline, models, record, surfaces
from render.errors import InputError
from render.film.drawing import Drawing
from render.film.panels.box import draw_walls
from render.film.panels.camera import Camera, Horizon, visible_order
from render.film.panels.relief import Sheet, _lit
from render.film.panels.surface_3d import Surface3D


@pytest.fixture(scope="module")
def run():
    surface = surfaces.himmelblau
    return record(
        models.Point(4.5, 4.5, dtype=torch.float64),
        surface,
        optimizer=lambda params: torch.optim.SGD(params, lr=1e-3, momentum=0.9),
        steps=60,
    )


def panel_of(run, **settings):
    shown = {"x_range": (-5, 5), "y_range": (-5, 5), "grid": 49, "minima": [(3, 2)]} | settings
    return Surface3D(run, **shown)


def drawn(panel):
    figure = Figure()
    axes = figure.add_subplot()
    return axes, panel(axes)


def sheet_of(axes):
    (sheet,) = (child for child in axes.collections if isinstance(child, Sheet))
    return sheet


def unprojected(seen, angle, elevation, floor):
    """Solve for the height of points whose place on the floor, (n, 2), is known."""
    turn, tilt = np.radians(angle), np.radians(elevation)
    near = np.cos(turn) * floor[:, 0] + np.sin(turn) * floor[:, 1]
    right = np.cos(turn) * floor[:, 1] - np.sin(turn) * floor[:, 0]
    assert seen[:, 0] == pytest.approx(right)
    return (seen[:, 1] + np.sin(tilt) * near) / np.cos(tilt)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_each_corner_stands_as_high_as_the_loss(run, share):
    axes, update = drawn(panel_of(run, azimuth=(-110.0, -160.0)))
    update(round(60 * share))
    angle = -110 - 50 * share
    corners = sheet_of(axes).corners[::-1, ::-1].reshape(-1, 2)  # both near sides are the low ones
    floor = np.stack(np.meshgrid(*[np.linspace(-1, 1, 49)] * 2), axis=-1).reshape(-1, 2)
    height = unprojected(corners, angle, 42.0, floor)
    loss = surfaces.himmelblau(*(5 * floor.T))
    assert np.corrcoef(height, loss)[0, 1] == pytest.approx(1, abs=1e-12)
    slope, base = np.polyfit(loss, height, 1)
    assert height == pytest.approx(base + slope * loss, abs=1e-9)
    assert slope > 0


def test_the_path_lies_on_the_surface_and_ends_at_the_state(run):
    panel = panel_of(run, azimuth=(-110.0, -110.0), elevation=80.0)
    axes, update = drawn(panel)
    update(60)
    (line,) = (line for line in axes.lines if line.get_linestyle() == "-")
    seen = np.column_stack(line.get_data())
    way = panel._computed["way "]
    camera = Camera(azimuth=(-110.0, -110.0), elevation=80.0)
    shown = np.isfinite(seen).all(axis=1)
    assert shown.mean() > 0.9
    assert seen[shown] == pytest.approx(camera.project(way, -110.0)[shown])
    heights = panel._box.height(surfaces.himmelblau(*(5 * way[:, :2].T)))
    assert way[:, 2] == pytest.approx(heights, abs=1e-9)
    assert 5 * way[-1, :2] == pytest.approx(run.params[-1], abs=0.02)
    assert np.hypot(*np.diff(way[:, :2], axis=0).T).max() <= 0.04 + 1e-9


def test_a_wall_hides_what_stands_behind_it_and_nothing_else():
    heights = np.zeros((41, 41))
    heights[:, 20] = 1.0  # a thin wall along x = 0
    points = np.array([[-0.5, 0.0, 0.0], [-0.5, 0.0, 0.9], [0.5, 0.0, 0.0]])
    horizon = Horizon.of(points, heights, np.array([-5.0, 0.0, 5.0]))
    # seen from x > 0: the wall rises 1 over a way of 0.5, its foot of one cell aside
    assert horizon.hides(0.0, 30.0).tolist() == [True, False, False]
    assert horizon.hides(0.0, 70.0).tolist() == [False, False, False]


def test_a_bowl_seen_steeply_hides_nothing_and_flatly_its_near_wall(run):
    side = np.linspace(-1, 1, 41)
    x, y = np.meshgrid(side, side)
    bowl = (x**2 + y**2) / 2
    points = np.array([[0.9, 0.0, 0.405], [0.0, 0.0, 0.0], [-0.9, 0.0, 0.405]])
    horizon = Horizon.of(points, bowl, np.array([0.0]))
    # the slope from x towards the rim at 1 is (1 + x) / 2: 43.5, 26.6 and 2.9 degrees
    assert horizon.hides(0.0, 45.0).tolist() == [False, False, False]
    assert horizon.hides(0.0, 35.0).tolist() == [True, False, False]
    assert horizon.hides(0.0, 20.0).tolist() == [True, True, False]


def test_the_camera_goes_steadily_with_the_films_frames(run):
    panel = panel_of(run, azimuth=(-110.0, -160.0))
    timeline = Timeline("log", hold_start=0.2, hold_end=0.2)
    film = Film([panel], seconds=2.0, fps=20, timeline=timeline, size=(320, 180))
    drawing = Drawing(film)
    (axes,) = drawing.figure.axes
    rights = []
    for frame in range(film.frames):
        drawing.show(frame)
        rights.append(sheet_of(axes).corners[0, 0])
    # the far corner (1, 1) is seen sqrt(2) sin(angle + 135 degrees) to the right
    angles = np.degrees(np.arcsin(np.array(rights)[:, 0] / np.sqrt(2))) - 135
    moved = np.abs(np.diff(angles))
    assert angles[[0, -1]] == pytest.approx([-110, -160])
    assert moved[:3].max() == 0 and moved[-3:].max() == 0  # held
    assert moved.max() < 1.6 * 50 / 32


def test_a_frame_does_not_depend_on_the_frames_before(run):
    panel = panel_of(run)
    axes, update = drawn(panel)
    fresh, update_fresh = drawn(panel)
    for step in (60, 3, 25):
        update(step)
    update_fresh(25)
    assert sheet_of(axes).corners == pytest.approx(sheet_of(fresh).corners, abs=0)
    for one, other in zip(axes.lines, fresh.lines, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
    places = [[text.xy for text in ax.texts] for ax in (axes, fresh)]
    assert places[0] == places[1]


def test_axes_name_the_parameters_and_the_loss(run):
    axes, _ = drawn(panel_of(run))
    texts = [child.get_text() for child in axes.get_children() if isinstance(child, Annotation)]
    assert {"x", "y", "loss"} <= set(texts)
    assert {"\N{MINUS SIGN}4", "0", "4", "400", "800"} <= set(texts)


def test_start_and_minimum_are_marked_where_they_are(run):
    panel = panel_of(run, azimuth=(-45.0, -45.0), elevation=60.0)
    axes, update = drawn(panel)
    update(0)
    marked = {line.get_marker(): line.get_xydata() for line in axes.lines[:4:2]}
    box = panel._box
    for marker, point in (("*", (3.0, 2.0)), ("o", (4.5, 4.5))):
        floor = np.array([point]) / 5
        height = unprojected(marked[marker], -45.0, 60.0, floor)
        assert height[0] == pytest.approx(float(box.height(surfaces.himmelblau(*point))), abs=1e-9)


def test_a_run_that_leaves_the_ranges_is_drawn_up_to_the_edge(run):
    axes, update = drawn(panel_of(run, x_range=(2.5, 5.0), y_range=(2.5, 5.0), minima=()))
    update(60)
    low, high = axes.get_ylim()
    for line in axes.lines:
        y = line.get_ydata()
        assert np.isnan(y).all() or (np.nanmin(y) >= low and np.nanmax(y) <= high)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"elevation": 2.0}, "elevation=2.0 is not 5 to 85"),
        ({"grid": 2}, "grid=2 is not a whole number of at least 3"),
    ],
)
def test_settings_that_cannot_be_are_named(run, settings, message):
    with pytest.raises(InputError, match=message):
        panel_of(run, **settings)


@pytest.mark.parametrize(
    ("surface", "grid", "faces"),
    [
        (surfaces.himmelblau, 97, 28),
        (surfaces.himmelblau, 98, 28),  # whose points are not the corners
        (surfaces.himmelblau, 40, 39),
        (surfaces.rastrigin, 97, 48),
        (surfaces.rastrigin, 113, 48),
    ],
)
def test_there_are_faces_enough_to_follow_the_surface(surface, grid, faces):
    at = models.Point(0.5, 0.5, dtype=torch.float64)
    run = record(at, surface, optimizer=partial(torch.optim.SGD, lr=1e-5), steps=2)
    panel = Surface3D(run, x_range=(-5, 5), y_range=(-5, 5), grid=grid)
    axes, update = drawn(panel)
    update(0)
    corners = sheet_of(axes).corners
    assert corners.shape == (faces + 1, faces + 1, 2)
    side = np.linspace(-1, 1, faces + 1)
    floor = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    ((angle, _), losses) = panel._azimuth(), surface(*(5 * floor.T))
    order = visible_order(angle)
    seen = corners[order].reshape(-1, 2)  # in the order of the floor again
    heights = unprojected(seen, angle, panel.elevation, floor)
    assert heights == pytest.approx(panel._box.height(losses), abs=0.02)


def test_lower_faces_have_deeper_colours():
    """On a slope the light is the same everywhere, so that only the height is told."""
    heights = np.tile(np.linspace(0.0, 1.0, 31), (31, 1))
    colors = _lit(heights, np.linspace(0.0, 1.0, 16))
    assert colors.shape == (30, 30, 4)
    luminance = colors[0, :, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()  # matplotlib's own paper is white


def test_nothing_of_the_surface_takes_room_from_the_axes_beside(run):
    axes, update = drawn(panel_of(run, minima=()))
    update(60)
    labels = [text for text in axes.texts if text.get_text().strip()]
    artists = [*axes.lines, *axes.collections, *axes.patches, *labels]
    assert labels
    assert not any(artist.get_in_layout() for artist in artists)


@pytest.mark.parametrize(("elevation", "hidden"), [(10.0, True), (80.0, False)])
def test_a_minimum_behind_the_surface_is_pale(run, elevation, hidden):
    axes, update = drawn(panel_of(run, elevation=elevation, azimuth=(45, 45)))
    update(0)
    stars = {line.get_alpha() or 1.0: line for line in axes.lines if line.get_marker() == "*"}
    shown = {alpha: len(line.get_xdata()) for alpha, line in stars.items()}
    assert shown == {min(stars): int(hidden), 1.0: int(not hidden)}


@pytest.mark.parametrize(("count", "size"), [(3, (960, 540)), (4, (1920, 1080)), (1, (640, 480))])
def test_labels_stay_in_the_picture_and_off_the_neighbours(run, count, size):
    film = Film([panel_of(run) for _ in range(count)], seconds=2, size=size)
    for frame in (0, film.frames // 2, -1):
        figure = film.figure(frame)
        figure.canvas.draw()
        boxes = [
            [text.get_window_extent() for text in axes.texts if text.get_text().strip()]
            for axes in figure.axes
        ]
        for left, right in itertools.pairwise([[Bbox([[0, 0], [0, 0]])], *boxes]):
            assert max(box.x1 for box in left) <= min(box.x0 for box in right)
        assert max(box.x1 for box in boxes[-1]) <= size[0]


def test_labels_and_title_are_those_that_were_given(run):
    axes, _ = drawn(panel_of(run, title="a hill", x_label="left", y_label="right"))
    words = [text.get_text() for text in axes.texts]
    assert axes.get_title() == "a hill"
    assert "left" in words and "right" in words and "x" not in words


def test_a_run_that_leaves_the_picture_is_told():
    fast = record(
        models.Point(1.0, 1.0),
        surfaces.quadratic(condition=2),
        optimizer=lambda params: torch.optim.SGD(params, lr=1.3),
        steps=20,
    )
    axes, update = drawn(Surface3D(fast, x_range=(-2, 2), y_range=(-2, 2), grid=25))
    for step, is_told in ((0, False), (20, True)):
        update(step)
        words = [text.get_text() for text in axes.texts]
        assert any("left the picture at step" in each for each in words) == is_told


def test_one_scale_for_both_axes_is_refused(run):
    with pytest.raises(InputError, match="the floor is a square"):
        panel_of(run, equal=True)


class NothingHidden:
    def __init__(self, points):
        self._count = len(points)

    def hides(self, angle, elevation):
        return np.zeros(self._count, dtype=bool)


def whole_walls(ax, box, camera, horizon_of):
    return draw_walls(ax, box, camera, NothingHidden)


@pytest.mark.parametrize(
    ("surface", "elevation"),
    [(surfaces.himmelblau, 42.0), (surfaces.rastrigin, 12.0), (surfaces.rastrigin, 65.0)],
)
def test_only_what_is_hidden_of_the_walls_is_left_out(monkeypatch, surface, elevation):
    run = record(
        models.Point(1.0, 1.0, dtype=torch.float64),
        surface,
        optimizer=lambda params: torch.optim.SGD(params, lr=1e-3),
        steps=2,
    )
    ranges = {"x_range": surface.domain[0], "y_range": surface.domain[1]}
    panel = Surface3D(run, elevation=elevation, azimuth=(-170.0, 10.0), **ranges)
    lengths, pictures = [], []
    for walls in (draw_walls, whole_walls):
        monkeypatch.setattr("render.film.panels.surface_3d.draw_walls", walls)
        drawing = Drawing(Film([panel], size=(480, 360), seconds=1, timeline=Timeline(hold_end=0)))
        with drawing.theme():
            for frame in (0, 12, 24):
                drawing.show(frame)
                pictures.append(drawing.canvas.draw()[..., :3].astype(int))
                (patch,) = (p for p in drawing.figure.axes[0].patches if p.get_zorder() == 0.5)
                lengths.append(np.isfinite(patch.get_path().vertices[:, 0]).sum())
    for left_out, whole in zip(pictures[:3], pictures[3:], strict=True):
        assert np.abs(left_out - whole).max() <= 8  # a line that ends elsewhere meets other pixels
    assert sum(lengths[:3]) < 0.9 * sum(lengths[3:])


def test_labels_stand_at_quarters_of_a_pixel(run):
    drawing = Drawing(Film([panel_of(run)], size=(640, 480), seconds=1))
    drawing.show(7)
    axes = drawing.figure.axes[0]
    texts = [text for text in axes.texts if text.get_text().strip()]
    px_a_pt = drawing.figure.dpi / 72
    places = axes.transData.transform([text.xy for text in texts])
    places += np.array([text.get_position() for text in texts]) * px_a_pt
    assert len(texts) > 9
    assert 4 * places == pytest.approx(np.round(4 * places), abs=1e-6)
