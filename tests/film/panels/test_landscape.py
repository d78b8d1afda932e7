"""A landscape panel draws a plane's loss, and how far from the plane the run is."""

import re
from functools import partial

import numpy as np
import pytest
import torch

from render import Film, datasets, landscape, losses, models, record
from render.errors import InputError
from render.film.panels.landscape import LandscapePanel, variance_share


def trained(steps=12, seed=0):
    return record(
        models.MLP((2, 5, 1), seed=seed),
        datasets.moons(20),
        loss=losses.nll,
        optimizer=partial(torch.optim.Adam, lr=0.1),
        steps=steps,
    )


@pytest.fixture(scope="module")
def run():
    return trained()


@pytest.fixture(scope="module", params=["pca", "random"])
def land(run, request):
    return landscape(run, request.param, grid=7)


def test_the_path_is_the_nearest_point_of_the_plane(run, land, ax):
    update = LandscapePanel(run, landscape=land)(ax)
    _, _, _, path, _, dot = ax.lines
    for step in (12, 3):
        update(step)
        way = run.params[: step + 1].astype(float) - land.origin
        expected = np.linalg.lstsq(land.directions.T, way.T, rcond=None)[0].T
        assert path.get_xydata() == pytest.approx(expected, abs=1e-9)
        assert dot.get_xydata() == pytest.approx(expected[-1:], abs=1e-9)


def test_the_ring_is_as_wide_as_the_run_is_far_from_the_plane(run, land, ax):
    update = LandscapePanel(run, landscape=land)(ax)
    _, _, _, _, ring, dot = ax.lines
    for step in (0, 7):
        update(step)
        inside = land.origin + dot.get_xydata()[0] @ land.directions
        distance = np.linalg.norm(run.params[step] - inside)
        ways = (ring.get_xydata() - dot.get_xydata()) @ land.directions
        assert np.linalg.norm(ways, axis=1) == pytest.approx(distance)
        told = ax.texts[0].get_text()
        assert told.startswith(f"ring: {distance:.2f} off the plane")
        if np.allclose(np.linalg.norm(land.directions, axis=1), 1):
            assert "axes" not in told
        else:
            wide = ring.get_xdata().max() - dot.get_xdata()[0]
            assert float(re.search(r"axes: ([\d.]+)", told)[1]) == pytest.approx(wide, rel=0.15)


def test_the_share_of_a_pca_plane_is_what_it_explains(run, ax):
    land = landscape(run, "pca", grid=3)
    assert variance_share(land, run.params) == pytest.approx(sum(land.explained))
    LandscapePanel(run, landscape=land, title="Its plane")(ax)
    expected = f"Its plane: {100 * sum(land.explained):.1f}% of variance"
    assert ax.get_title(loc="left") == expected


def test_the_share_of_any_plane_is_that_of_the_projected_path(run, land):
    basis = np.linalg.svd(land.directions, full_matrices=False)[2]
    centred = run.params - run.params.mean(axis=0, dtype=float)
    expected = np.var(centred @ basis.T, axis=0).sum() / np.var(centred, axis=0).sum()
    assert variance_share(land, run.params) == pytest.approx(expected)


def test_the_picture_is_the_landscapes(run, land, ax):
    LandscapePanel(run, landscape=land)(ax)
    assert ax.get_xlim() == (land.a[0], land.a[-1])
    assert ax.get_ylim() == (land.b[0], land.b[-1])
    assert (ax.get_xlabel(), ax.get_ylabel()) == land.names
    assert ax.get_aspect() == 1
    ax.clear()
    LandscapePanel(run, landscape=land, x_label="one", y_label="")(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("one", "")


def test_a_frame_depends_on_the_step_alone(run, land, ax):
    update = LandscapePanel({"a": run, "b": run}, landscape=land)(ax)
    update(5)
    first = [line.get_xydata().copy() for line in ax.lines]
    update(12)
    update(5)
    assert all(map(np.array_equal, first, (line.get_xydata() for line in ax.lines)))


@pytest.mark.parametrize("size", [(640, 480), (600, 480)])
def test_words_and_labels_break_in_narrow_pictures(run, size):
    land = landscape(run, "random", grid=7)
    figure = Film([LandscapePanel(run, landscape=land)] * 2, size=size, title="").figure(0)
    figure.draw_without_rendering()
    for ax in figure.axes:
        texts = [*ax.texts, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        boxes = [text.get_window_extent() for text in texts]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
        assert not any(one.overlaps(two) for k, one in enumerate(boxes) for two in boxes[:k])


def test_what_does_not_belong_together_is_named(run, land):
    with pytest.raises(InputError, match="landscape is a 'str'"):
        LandscapePanel(run, landscape="pca")
    line = record(
        models.Line(slope=1.0, intercept=1.0),
        datasets.line(5),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    with pytest.raises(InputError, match=r"\(T, 21\)"):
        LandscapePanel(line, landscape=land)


def test_of_several_runs_the_words_are_of_the_one_that_made_the_plane(run, ax):
    other = trained(seed=1)
    LandscapePanel({"first": other, "second": run}, landscape=landscape(run, "pca", grid=5))(ax)(3)
    own = variance_share(landscape(run, "pca", grid=5), run.params)
    assert ax.get_title(loc="left") == f"plane: {100 * own:.1f}% of variance of second"
    assert ax.texts[0].get_text().startswith("ring of second: ")
