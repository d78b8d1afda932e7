"""The probability field shows what a classifier says, and where it is unsure."""

import pickle
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb, to_rgba

from render import Film, datasets, losses, models, record
from render.errors import InputError
from render.film.panels import probability_field
from render.film.panels.probability_field import ProbabilityField


def squared(logits, target):
    return ((logits - target) ** 2).mean()


ADAM = partial(torch.optim.Adam, lr=0.05)


def trained(data, widths=(2, 6, 1), loss=losses.nll, steps=8, **options):
    settings = {"optimizer": ADAM, "steps": steps} | options
    return record(models.MLP(widths), data, loss=loss, **settings)


@pytest.fixture(scope="module")
def moons():
    return datasets.split(datasets.moons(40), validation=0.25)


@pytest.fixture(scope="module")
def run(moons):
    return trained(moons[0])


@pytest.fixture(scope="module")
def three():
    return trained(datasets.blobs(30), widths=(2, 8, 3), loss=losses.cross_entropy, steps=20)


def boundary(ax):
    return ax.lines[0].get_xydata()


def bands(ax):
    return [path.vertices for path in ax.collections[0].get_paths()]


def test_the_boundary_is_where_the_logit_is_zero(run, ax):
    update = ProbabilityField(run)(ax)
    for step in (0, 8):
        update(step)
        points = boundary(ax)[np.isfinite(boundary(ax)).all(axis=1)]
        assert len(points) > 50
        assert np.abs(run.predict(points.astype(np.float32), step)).max() < 0.01


@pytest.mark.parametrize(("size", "aspect"), [((6, 2), "auto"), ((2, 6), "auto"), ((5, 4), 1)])
def test_a_field_fills_a_long_panel(run, size, aspect):
    figure, ax = plt.subplots(figsize=size)
    ProbabilityField(run)(ax)
    assert ax.get_aspect() == aspect
    plt.close(figure)


def test_a_linear_classifier_has_a_straight_boundary(moons, ax):
    run = trained(moons[0], widths=(2, 1), steps=5)
    ProbabilityField(run)(ax)(5)
    a, b, c = run.params[5]
    points = boundary(ax)[np.isfinite(boundary(ax)).all(axis=1)]
    assert a * points[:, 0] + b * points[:, 1] + c == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("classes", ["two", "three"])
def test_the_band_on_top_says_which_class_leads_and_by_how_much(run, three, ax, classes):
    chosen = {"two": run, "three": three}[classes]
    ProbabilityField(chosen)(ax)(chosen.steps)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    points = np.random.default_rng(0).uniform((left, bottom), (right, top), (400, 2))
    logits = chosen.predict(points.astype(np.float32), chosen.steps).reshape(400, -1)
    if logits.shape[1] == 1:
        logits = np.hstack([0 * logits, logits])
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ordered = np.sort(chance, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    paths = ax.collections[0].get_paths()
    leads = probability_field._LEADS
    assert len(paths) == chance.shape[1] * len(leads)
    covers = np.array([path.contains_points(points) for path in paths])
    on_top = len(paths) - 1 - covers[::-1].argmax(axis=0)
    level = np.searchsorted(leads, lead, side="right") - 1
    expected = chance.argmax(axis=1) * len(leads) + level
    near = np.abs(lead[:, None] - leads).min(axis=1) < 0.05
    assert covers.any(axis=0).all()
    assert np.array_equal(on_top[~near], expected[~near])


def test_classes_differ_in_shape_and_validation_points_are_open(run, moons, ax):
    ProbabilityField(run, validation=moons[1])(ax)
    groups = ax.collections[1:]
    assert [len(group.get_offsets()) for group in groups] == [15, 15, 5, 5]
    shapes = [group.get_paths()[0].vertices.shape for group in groups]
    assert shapes[0] == shapes[2] != shapes[1] == shapes[3]
    paper = to_rgba(plt.rcParams["axes.facecolor"])
    assert [tuple(g.get_facecolor()[0]) == paper for g in groups] == [False, False, True, True]
    assert [tuple(g.get_edgecolor()[0]) == paper for g in groups] == [True, True, False, False]
    assert "open points: validation" in ax.get_title(loc="left")
    drawn = np.concatenate([group.get_offsets() for group in groups[2:]])
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, moons[1].x.double().tolist()))


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_points_stand_out_from_the_surest_tint_of_their_class(run, theme):
    film = Film({"F": ProbabilityField({"train": run}, validation=run)}, theme=theme, title="")
    (ax,) = film.figure(-1).axes
    tints = ax.collections[0].get_facecolor().reshape(2, -1, 4)[:, -1]
    for tint, points in zip(tints, ax.collections[1:3], strict=True):
        low, high = sorted(map(luminance, (tint[:3], points.get_facecolor()[0][:3])))
        assert (high + 0.05) / (low + 0.05) >= 3.0


def luminance(color):
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_a_frame_depends_on_the_step_alone(run, ax):
    panel = ProbabilityField(run)
    panel.prepare(range(9))
    update = panel(ax)
    update(5)
    first = boundary(ax), bands(ax)
    for step in (0, 8, 5):
        update(step)
    assert np.array_equal(boundary(ax), first[0], equal_nan=True)
    assert all(map(np.array_equal, bands(ax), first[1]))


def test_fields_beyond_the_memory_bound_are_computed_when_shown(run, ax, monkeypatch):
    monkeypatch.setattr(probability_field, "_MEMORY_BYTES", 3 * 2 * 100**2)
    panel = ProbabilityField(run)
    for _ in range(2):
        panel.prepare(range(9))
    panel(ax)(8)
    assert np.isfinite(boundary(ax)).any()
    assert sorted(panel._computed) == [0, 1, 2]


def test_a_run_that_diverged_leaves_the_field_and_says_so(moons, ax):
    run = trained(moons[0], optimizer=partial(torch.optim.SGD, lr=1e30), steps=6, loss=squared)
    update = ProbabilityField(run)(ax)
    update(6)
    assert not np.isfinite(boundary(ax)).any()
    assert "diverged" in ax.texts[0].get_text()
    update(0)
    assert ax.texts[0].get_text() == ""


def test_a_pickled_panel_has_arrays_only(run, moons):
    panel = ProbabilityField(run, validation=moons[1])
    panel.prepare(range(9))
    again = pickle.loads(pickle.dumps(panel))
    assert isinstance(again.validation.x, np.ndarray)
    assert len(again._computed) == 9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda run: ProbabilityField({"a": run, "b": run}), "one run, not 2"),
        (lambda run: ProbabilityField(run, grid=1), "grid=1 is not a whole"),
        (lambda run: ProbabilityField(run, validation=datasets.line(5)), "x of validation"),
        (
            lambda run: ProbabilityField(run, validation=datasets.of(np.zeros((2, 2)), [0.5, 1])),
            "y of validation must be 2 whole numbers",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(run, make, message):
    with pytest.raises(InputError, match=message):
        make(run)


@pytest.mark.parametrize(("scale", "aspect"), [(2.0, 1.0), (1e-6, "auto")])
def test_features_of_another_scale_have_an_axis_of_their_own(ax, scale, aspect):
    data = datasets.moons(40)
    data = datasets.of(data.x * torch.tensor([1.0, scale]), data.y)
    ProbabilityField(trained(data, steps=2))(ax)
    assert ax.get_aspect() == aspect
    low, high = ax.get_ylim()
    seen = data.x[:, 1] if aspect == "auto" else data.x
    assert high - low < 2 * float(seen.max() - seen.min())
