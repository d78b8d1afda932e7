from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models, surfaces
from render.recording import Keep, Trajectory, directions, landscape, record, session, sizes

ADAM = partial(torch.optim.Adam, lr=0.05)


@pytest.fixture(scope="module")
def run():
    return record(
        models.MLP((2, 6, 5, 1)), datasets.moons(40), loss=losses.nll, optimizer=ADAM, steps=30
    )


@pytest.fixture(scope="module")
def line():
    return record(
        models.Line(-1.0, 1.0), datasets.line(30), loss=losses.mse, optimizer=ADAM, steps=25
    )


def loss_one_by_one(run: Trajectory, params: np.ndarray) -> float:
    model = copy.deepcopy(run.problem.model).eval()
    with torch.no_grad():
        nn.utils.vector_to_parameters(torch.tensor(params.astype(np.float32)), model.parameters())
        return run.problem.loss(model(run.problem.data.x), run.problem.data.y).item()


@pytest.mark.parametrize("plane", ["pca", "random", ("layers.0.bias[1]", 4)])
def test_the_loss_is_that_of_the_model_at_each_point_of_the_plane(run, plane) -> None:
    land = landscape(run, plane, grid=(7, 5), at=20)
    assert land.loss.shape == (5, 7) and land.a.shape == (7,) and land.b.shape == (5,)
    for i, j in [(0, 0), (4, 6), (2, 3), (1, 5)]:
        point = land.origin + land.a[j] * land.directions[0] + land.b[i] * land.directions[1]
        assert land.loss[i, j] == pytest.approx(loss_one_by_one(run, point), rel=1e-5)


@pytest.mark.parametrize("plane", ["pca", "random", (0, 1)])
def test_the_path_is_the_nearest_point_and_the_distance_is_what_is_left(run, plane) -> None:
    land = landscape(run, plane, grid=3)
    shown = land.origin + land.path @ land.directions
    rest = run.params - shown
    np.testing.assert_allclose(rest @ land.directions.T, 0, atol=1e-9)
    np.testing.assert_allclose(land.distance, np.linalg.norm(rest, axis=1), atol=1e-9)
    assert land.distance[-1] == pytest.approx(0, abs=1e-9)  # the plane goes through the last row
    assert land.distance[0] > 0.01
    path, distance = land.project(run)
    np.testing.assert_array_equal(path, land.path)
    np.testing.assert_array_equal(distance, land.distance)


def test_a_plane_of_two_parameters_has_their_values_as_coordinates(line) -> None:
    land = landscape(line, ("slope", "intercept"), a_range=(0, 6), b_range=(5, 11), grid=13)
    assert land.names == ("slope", "intercept") and land.explained is None
    np.testing.assert_allclose(land.path, line.params, rtol=1e-12)
    assert np.abs(land.distance).max() < 1e-12
    x, y = line.x.astype(float), line.y.astype(float)
    expected = ((land.a[None, :, None] * x + land.b[:, None, None] - y) ** 2).mean(axis=2)
    np.testing.assert_allclose(land.loss, expected, rtol=1e-4, atol=1e-5)


def test_principal_directions_are_those_of_the_covariance(run) -> None:
    land = landscape(run, "pca", grid=3)
    covariance = np.cov(run.params.astype(np.float64).T)
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(land.explained, values[::-1][:2] / values.sum(), rtol=1e-9)
    np.testing.assert_allclose(np.abs((land.directions * vectors.T[::-1][:2]).sum(axis=1)), 1)
    np.testing.assert_allclose(land.directions @ land.directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_array_equal(land.origin, run.params[-1])


def test_long_runs_have_the_principal_directions_of_evenly_spaced_rows(line) -> None:
    long = record(
        models.Line(-1.0, 1.0), datasets.line(30), loss=losses.mse, optimizer=ADAM, steps=1999
    )
    land = landscape(long, "pca", grid=2)
    values = np.linalg.eigvalsh(np.cov(long.params.astype(np.float64).T))
    np.testing.assert_allclose(land.explained, values[::-1] / values.sum(), rtol=0.02)


def test_random_directions_are_normalised_filter_by_filter() -> None:
    """Li et al. 2018, Section 4, with the authors' treatment of biases and normalisation."""
    net = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.Flatten(),
        nn.Linear(108, 4),
    )
    run = record(
        net, datasets.shapes(12, size=8), loss=losses.cross_entropy, optimizer=ADAM, steps=2
    )
    land = landscape(run, "random", grid=2, seed=5)
    assert (land.a[0], land.a[-1]) == (-1, 1)
    start = 0
    for _, shape in run.layout:
        columns = slice(start, start + int(np.prod(shape)))
        start = columns.stop
        for direction in land.directions:
            moved = direction[columns].reshape(shape)
            if len(shape) < 2:
                assert not moved.any()
                continue
            weights = run.params[-1, columns].reshape(shape)
            for of_direction, of_weights in zip(moved, weights, strict=True):
                assert np.linalg.norm(of_direction) == pytest.approx(np.linalg.norm(of_weights))
    np.testing.assert_array_equal(
        landscape(run, "random", grid=2, seed=5).directions, land.directions
    )
    assert (landscape(run, "random", grid=2, seed=6).directions != land.directions).any()
    assert land.loss[0, 0] == pytest.approx(
        run.loss_at((land.origin - land.directions.sum(axis=0))[None].astype(np.float32))[0],
        rel=1e-5,
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_directions_that_are_parallel_span_no_plane(seed) -> None:
    run = record(models.MLP((1, 1)), datasets.line(9), loss=losses.mse, optimizer=ADAM, steps=3)
    with pytest.raises(InputError, match=f"directions of seed {seed} are parallel"):
        landscape(run, "random", grid=2, seed=seed)


def test_chunks_and_memory_bounds_do_not_change_the_loss(run, monkeypatch) -> None:
    whole = landscape(run, "pca", grid=20)
    monkeypatch.setattr(sizes, "_MEMORY_BYTES", 100_000)
    np.testing.assert_allclose(landscape(run, "pca", grid=20).loss, whole.loss, rtol=1e-5)


def test_progress_is_told_to_the_end_by_argument_or_session(run) -> None:
    seen = []
    landscape(run, grid=6, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (36, 36)
    with session(progress=lambda done, total: seen.append((done, total))):
        landscape(run, grid=4)
    assert seen[-1] == (16, 16)


def test_a_run_that_diverged_is_seen_from_its_last_finite_row() -> None:
    run = record(
        models.Line(-1.0, 1.0),
        datasets.line(30),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=3.0),
        steps=200,
    )
    assert not np.isfinite(run.params[-1]).all()
    land = landscape(run, ("slope", "intercept"), grid=3, a_range=(-1, 1), b_range=(-1, 1))
    assert np.isfinite(land.loss).all() and np.isnan(land.path[-1]).any()
    with pytest.raises(InputError, match=r"at row 200 are not finite; choose one before \d+"):
        landscape(run, (0, 1), at=200)


def test_a_surface_is_its_own_landscape() -> None:
    start = surfaces.himmelblau.start
    run = record(models.Point(*start), surfaces.himmelblau, optimizer=ADAM, steps=20)
    land = landscape(run, ("x", "y"), grid=9, a_range=(-5, 5), b_range=(-5, 5))
    expected = surfaces.himmelblau(*np.meshgrid(land.a, land.b))
    np.testing.assert_allclose(land.loss, expected, rtol=1e-4, atol=1e-4)


def test_a_landscape_is_read_only_and_crosses_processes_without_torch(run, tmp_path) -> None:
    land = landscape(run, grid=3)
    with pytest.raises(ValueError, match="read-only"):
        land.loss[0, 0] = 1
    assert "first principal direction" in repr(land) and "%" in repr(land)
    stored = tmp_path / "land.pickle"
    stored.write_bytes(pickle.dumps(land))
    code = (
        "import pickle, sys; land = pickle.load(open(sys.argv[1], 'rb')); "
        "assert land.loss.shape == (3, 3); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(stored)], check=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run, line: landscape(run, "umap"), "plane is 'umap'; choose 'pca', 'random'"),
        (lambda run, line: landscape(run, ("a", "b")), "no parameter 'a'"),
        (lambda run, line: landscape(run, (0, 999)), "no column 999"),
        (lambda run, line: landscape(run, (0, 0)), "twice; choose two"),
        (lambda run, line: landscape(run, (True, 0)), "no column True"),
        (lambda run, line: landscape(run, grid=1), "grid is 1; give points a side"),
        (lambda run, line: landscape(run, grid=(3, 2.5)), "grid is (3, 2.5)"),
        (lambda run, line: landscape(run, a_range=(1, 1)), "a_range is (1, 1)"),
        (lambda run, line: landscape(run, a_range=(0, 1, 2)), "a_range is (0, 1, 2)"),
        (lambda run, line: landscape(run, b_range=1), "b_range is 1; give (low, high)"),
        (lambda run, line: landscape(run, b_range=(0, 10**400)), "b_range is (0, 1000000000"),
        (
            lambda run, line: landscape(run, np.zeros((2, 2))),
            "plane is array([[0., 0.], [0., 0.]])",
        ),
        (lambda run, line: landscape(run, seed=-1), "seed is -1"),
        (lambda run, line: landscape(run, progress=3), "progress is 3; give a callable"),
        (lambda run, line: landscape({"a": run}), "run is a dict; give one run"),
        (lambda run, line: landscape(run, at=31), "at is 31; give a row from 0 to 30"),
        (lambda run, line: landscape(line, "random"), "the model has no filters"),
        (lambda run, line: landscape(run).project(line), "must be (T, 59)"),
        (lambda run, line: landscape(run).project([[1], [2, 3]]), "must be (T, 59)"),
    ],
)
def test_wrong_arguments_say_so(run, line, call, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call(run, line)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_grid_that_cannot_fit_is_refused_before_it_starts(run) -> None:
    with pytest.raises(RecordingError, match=r"landscape: 1,000,000 x 1,000,000 points take"):
        landscape(run, grid=10**6)


def test_a_run_without_steps_spans_no_plane() -> None:
    run = record(models.Line(0, 0), datasets.line(5), loss=losses.mse, optimizer=ADAM, steps=0)
    with pytest.raises(InputError, match="span no plane; record more steps"):
        landscape(run)


def test_a_run_without_its_model_or_parameters_says_so(run, tmp_path) -> None:
    run.save(tmp_path / "run.npz")
    with pytest.raises(RecordingError, match=r"use run.attach\(model, loss\)"):
        landscape(Trajectory.load(tmp_path / "run.npz"), "pca")
    part = record(
        models.MLP((2, 6, 1)),
        datasets.moons(20),
        loss=losses.nll,
        optimizer=ADAM,
        steps=5,
        keep=Keep(tensors=["layers.0.*"]),
    )
    again = part.attach(models.MLP((2, 6, 1)), losses.nll)
    for lacking in (part, again):
        with pytest.raises(
            RecordingError, match="the parameters that it takes to evaluate it"
        ) as c:
            landscape(lacking, "pca")
        assert "attach" not in str(c.value)
    with pytest.raises(InputError, match="attach the model that the run was recorded with"):
        part.attach(models.MLP((2, 7, 1)), losses.nll)


def test_columns_rows_and_ranges_may_be_numpys(line) -> None:
    low_high = np.array([0, 6])
    land = landscape(line, tuple(np.arange(2)), grid=np.int64(4), at=np.int64(3), a_range=low_high)
    same = landscape(line, (0, 1), grid=4, at=3, a_range=(0, 6))
    np.testing.assert_array_equal(land.loss, same.loss)


@pytest.mark.parametrize("groups", [1, 2])
def test_the_filters_of_a_transposed_convolution_are_those_of_its_outputs(groups) -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, groups=groups)
    run = record(
        nn.Sequential(nn.Unflatten(1, (4, 2, 2)), layer, nn.Flatten()),
        datasets.of(torch.ones(3, 16), torch.ones(3, 96)),
        loss=losses.mse,
        optimizer=ADAM,
        steps=1,
    )
    direction = torch.tensor(landscape(run, "random", grid=2).directions[0, :-6])
    moved, weight = direction.view(layer.weight.shape), torch.tensor(run.params[-1, :-6])
    weight = weight.view(layer.weight.shape)
    pixel = [torch.zeros(1, 4, 1, 1) for _ in range(4)]
    for channel, one in enumerate(pixel):
        one[0, channel] = 1

    def norms(kernel):
        maps = [nn.functional.conv_transpose2d(one, kernel, groups=groups) for one in pixel]
        return torch.stack([(part**2).sum(dim=(0, 2, 3)) for part in maps]).sum(dim=0).sqrt()

    torch.testing.assert_close(norms(moved.float()), norms(weight))


@pytest.mark.parametrize("scales", [(1, 0.5, 0.2), (1, 1e-3, 1e-4), (1, 1e-7, 1e-8), (3, 2.99, 1)])
def test_principal_directions_found_in_blocks_are_the_singular_vectors(monkeypatch, scales) -> None:
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.normal(size=(500, 3)))[0].T
    params = (generator.normal(size=(60, 3)) * scales) @ basis + generator.normal(size=500)
    _, values, vectors = np.linalg.svd(params[5:] - params[5:].mean(axis=0), full_matrices=False)
    monkeypatch.setattr(directions, "_MOST_NUMBERS", 55 * 64)
    found, shares = directions.principal(params, np.arange(5, 60))
    np.testing.assert_allclose(np.abs((found * vectors[:2]).sum(axis=1)), 1, atol=1e-12)
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(shares, values[:2] ** 2 / (values**2).sum(), rtol=1e-8)
    assert (np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1) > 0).all()
    with pytest.raises(InputError, match="lie on a line"):
        directions.principal(params[:, :1] * basis[:1], np.arange(5, 60))


def test_what_rounding_adds_to_a_line_is_no_direction() -> None:
    bowl = surfaces.of(lambda x, y: (x - 3) ** 2 + (y - 1) ** 2, start=(1.37, -2.11))
    call = partial(record, models.Point(*bowl.start), bowl, steps=200)
    with pytest.raises(InputError, match="lie on a line"):
        landscape(call(optimizer=partial(torch.optim.SGD, lr=0.01)), "pca")
    bent = landscape(call(optimizer=partial(torch.optim.Adam, lr=0.01)), "pca", grid=3)
    assert bent.explained[1] > 1e-6
    assert np.ptp(bent.b) == pytest.approx(np.ptp(bent.a) / 2)  # however thin the path
    assert bent.b.min() < bent.path[:, 1].min() and bent.path[:, 1].max() < bent.b.max()


def test_random_directions_leave_alone_what_does_not_learn() -> None:
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 2))
            self.mask = nn.Parameter(torch.eye(2, dtype=torch.bool), requires_grad=False)
            self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)

        def forward(self, x):
            return (x @ (self.weight * self.mask) @ self.frozen).sum(1)

    run = record(
        Masked(),
        datasets.moons(40),
        loss=losses.nll,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=5,
    )
    land = landscape(run, "random", grid=3, a_range=(-1e-6, 1e-6), b_range=(-1e-6, 1e-6))
    assert not land.directions[:, 4:].any() and land.directions[:, :4].all()
    assert np.ptp(land.loss) < 1e-5


def test_a_progress_that_fails_says_so() -> None:
    run = record(
        models.Line(0.0, 0.0),
        datasets.line(5),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=5,
    )
    with pytest.raises(RecordingError, match="progress failed"):
        landscape(run, ("slope", "intercept"), grid=3, progress=lambda done: None)
