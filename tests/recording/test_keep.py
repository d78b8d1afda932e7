from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, metrics, models, surfaces
from render.recording import Keep, Trajectory, landscape, memory, record, session

DATA = datasets.moons(30)
RUN = partial(
    record,
    models.MLP((2, 5, 1)),
    DATA,
    loss=losses.nll,
    optimizer=partial(torch.optim.Adam, lr=0.05),
    steps=20,
    batch_size=8,
)
ROUND = [[1.0] * 21, list(range(21))]


@pytest.fixture(scope="module")
def whole() -> Trajectory:
    return RUN(metrics=[metrics.accuracy], validation=datasets.moons(12, seed=5))


def test_every_kth_step_is_every_kth_row_of_the_whole_run(whole) -> None:
    run = RUN(
        keep=Keep(every=5),
        metrics=[metrics.accuracy],
        validation=datasets.moons(12, seed=5),
    )
    assert run.every == 5 and run.steps == 4 and run.meta["steps"] == 20
    for name in ("params", "loss", "lr", "grad_norm", "batch"):
        np.testing.assert_array_equal(getattr(run, name), getattr(whole, name)[::5])
    for name, values in whole.metrics.items():
        np.testing.assert_allclose(run.metrics[name], values[::5], rtol=1e-6)
    np.testing.assert_allclose(run.predict(DATA.x, -1), whole.predict(DATA.x, -1), rtol=1e-5)


def test_running_statistics_are_thinned_with_the_rows() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2), models.MLP((2, 3, 1)))
    call = partial(
        record, model, DATA, loss=losses.nll, optimizer=partial(torch.optim.SGD, lr=0.1), steps=6
    )
    whole, thin = call(), call(keep=Keep(every=3))
    for name, values in whole.buffers.items():
        np.testing.assert_array_equal(thin.buffers[name], values[::3])


def test_selected_tensors_are_the_columns_of_the_whole_run(whole) -> None:
    run = RUN(
        keep=Keep(tensors=["layers.2.*"]),
        metrics=[metrics.accuracy],
        validation=datasets.moons(12, seed=5),
    )
    assert [name for name, _ in run.layout] == ["layers.2.weight", "layers.2.bias"]
    columns = [whole.column(name) for name in run.names]
    np.testing.assert_array_equal(run.params, whole.params[:, columns])
    np.testing.assert_array_equal(run.final, whole.params[-1])
    np.testing.assert_array_equal(run.loss, whole.loss)
    np.testing.assert_array_equal(run.grad_norm, whole.grad_norm)
    assert list(run.metrics) == ["accuracy", "val_loss", "val_accuracy"]
    for name, values in whole.metrics.items():
        np.testing.assert_allclose(run.metrics[name], values, rtol=1e-5)


def test_projections_are_those_of_the_whole_run_and_the_distance_off_the_plane(whole) -> None:
    run = RUN(keep=Keep(directions=ROUND, every=2))
    way = whole.params[::2].astype(np.float64) - whole.params[0]
    expected, *_ = np.linalg.lstsq(np.array(ROUND).T, way.T, rcond=None)
    np.testing.assert_allclose(run.params, expected.T, atol=1e-9)
    rest = way - expected.T @ np.array(ROUND)
    np.testing.assert_allclose(
        run.metrics["off_plane"], np.linalg.norm(rest, axis=1), rtol=1e-9, atol=1e-9
    )
    assert run.names == ("projection[0]", "projection[1]")
    np.testing.assert_array_equal(run.final, whole.params[-1])


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["array", "tensor"])
def test_directions_may_be_an_array_or_a_tensor(kind) -> None:
    kept, listed = (RUN(keep=Keep(directions=given)) for given in (kind(ROUND), ROUND))
    np.testing.assert_array_equal(kept.params, listed.params)
    assert kept.meta == listed.meta


def test_a_landscapes_directions_can_be_kept_in_a_second_run(whole) -> None:
    land = landscape(whole, "pca", grid=2)
    run = RUN(keep=Keep(directions=land.directions))
    np.testing.assert_allclose(run.params, land.path - land.path[0], atol=1e-7)


@pytest.mark.parametrize("keep", [Keep(every=5), Keep(tensors=["*bias"]), Keep(directions=ROUND)])
def test_a_part_of_a_run_is_saved_replayed_and_pickled(tmp_path, keep: Keep) -> None:
    with session() as opened:
        run = RUN(keep=keep)
    run.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz")
    for again in (loaded, pickle.loads(pickle.dumps(run))):
        np.testing.assert_array_equal(again.params, run.params)
        assert again.every == run.every and again.layout == run.layout
        assert (again.final is None) == (run.final is None)
    with session(replay=opened.runs):
        RUN(keep=keep)
    with pytest.raises(RecordingError, match="with keep="), session(replay=opened.runs):
        RUN()


def test_a_part_of_a_run_cannot_be_evaluated_and_says_what_to_do() -> None:
    run = RUN(keep=Keep(tensors=["*bias"]))
    for evaluate in (
        lambda: run.predict(DATA.x, 0),
        lambda: run.loss_at(run.params),
        lambda: run.data_loss,
    ):
        with pytest.raises(RecordingError, match=r"keep=Keep\(tensors=\['\*bias'\]\), without"):
            evaluate()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (10, "keep is 10; give Keep(every="),
        (Keep(every=0), "keep.every is 0; give a whole number"),
        (Keep(every=3), "steps is 20, not a multiple of keep.every, 3; take 18 or 21 steps"),
        (Keep(tensors=[]), "keep.tensors is []; give a list of names"),
        (Keep(tensors="layers.0.bias"), "keep.tensors is 'layers.0.bias'; give a list"),
        (Keep(tensors=["layers.0.bia"]), "is named 'layers.0.bia'; did you mean"),
        (Keep(directions=[[1.0, 2.0]]), "keep.directions has shape (1, 2); give (D, 21)"),
        (Keep(directions=np.ones((0, 21))), "keep.directions has shape (0, 21)"),
        (Keep(directions=[[1.0], [1.0, 2.0]]), "(list) is not an array of numbers; give (D, 21)"),
        (Keep(directions=[[0.0] * 21]), "not finite and linearly independent"),
        (Keep(directions=ROUND, tensors=["*"]), "choose one of them"),
    ],
)
def test_what_cannot_be_kept_says_so(keep, message: str) -> None:
    with pytest.raises(InputError) as caught:
        RUN(keep=keep)
    assert message in str(caught.value) and "\n" not in str(caught.value)


class Wide(nn.Module):
    """Has a hundred million parameters on paper: storage is never touched before the run."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1).expand(10**8))

    def forward(self, x):
        raise AssertionError("started")


@pytest.mark.parametrize("keep", [None, Keep(every=10)], ids=["whole", "thinned"])
def test_a_recording_that_cannot_fit_is_refused_before_it_starts(monkeypatch, keep) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 2 * 10**9)
    with pytest.raises(RecordingError, match=r"100 steps of Wide take [\d.]+ GB, and 2.0 GB") as c:
        record(
            Wide(),
            datasets.line(5),
            loss=losses.mse,
            optimizer=partial(torch.optim.SGD, lr=0.1),
            steps=100,
            keep=keep,
        )
    assert "keep=Keep(every=10)" in str(c.value) and "\n" not in str(c.value)


def test_keeping_less_takes_less_memory_and_the_run_says_how_much(monkeypatch) -> None:
    monkeypatch.setitem(memory.WINDOW_BYTES, "cpu", 0)
    sizes = [
        RUN(keep=keep).meta["recording_bytes"]
        for keep in (None, Keep(every=4), Keep(every=4, tensors=["layers.2.bias"]))
    ]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_a_surface_stands_for_data_and_loss(tmp_path) -> None:
    surface = surfaces.rosenbrock
    call = partial(record, models.Point(*surface.start), surface)
    sgd = partial(torch.optim.SGD, lr=1e-4)
    run = call(optimizer=sgd, steps=50)
    assert run.names == ("x", "y") and run.meta["loss"] == "Rosenbrock"
    np.testing.assert_allclose(run.loss, surface(*run.params.T), rtol=1e-4)
    grid = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(run.loss_at(grid.astype(np.float32)), surface(*grid.T), rtol=1e-3)
    run.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz").attach(models.Point(0, 0), surface.loss)
    np.testing.assert_array_equal(loaded.loss_at(run.params), run.loss_at(run.params))
    twin = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(twin.loss_at(run.params), run.loss_at(run.params))
    with session(replay=[run]):
        call(optimizer=sgd, steps=50)
    double = record(
        models.Point(3, 0.5, dtype=torch.float64), surfaces.beale, optimizer=sgd, steps=3
    )
    assert double.params.dtype == np.float64 and double.grad_norm.max() < 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (dict(loss=losses.mse), "the surface Beale is a loss itself; leave loss=mse out"),
        (dict(model=models.Line(0, 0)), "a surface takes a point, shape (2,)"),
        (dict(model=3), "model is a int; a surface takes models.Point(x, y)"),
        (dict(validation=datasets.line(3)), "a surface has no samples; leave validation out"),
        (dict(batch_size=2), "batch_size is 2, but there are 1 samples"),
        (dict(data=datasets.line(3)), "loss is None; give a callable"),
        (
            dict(data=DATA, loss=losses.nll, model=models.MLP((2, 1)), validation=3),
            "validation is a int; give a Dataset",
        ),
        (
            dict(data=DATA, loss=losses.nll, model=models.MLP((2, 1)), validation=datasets.line(3)),
            "give samples of the same kind",
        ),
    ],
)
def test_surfaces_and_validation_data_that_do_not_fit_say_so(changed, message: str) -> None:
    settings = dict(
        model=models.Point(1, 1),
        data=surfaces.beale,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=1,
    )
    with pytest.raises(InputError) as caught:
        record(**{**settings, **changed})
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_validation_is_the_loss_and_the_metrics_over_the_other_samples(whole) -> None:
    other = datasets.moons(12, seed=5)
    assert list(whole.metrics) == ["accuracy", "val_loss", "val_accuracy"]
    for row in (0, 7, 20):
        logits = torch.tensor(whole.predict(other.x, row))
        loss = losses.nll(logits, other.y).item()
        assert whole.metrics["val_loss"][row] == pytest.approx(loss, rel=1e-5)
        assert whole.metrics["val_accuracy"][row] == metrics.accuracy(logits, other.y).item()


@pytest.mark.parametrize("every", [1, 3])
def test_metrics_of_thinned_tensors_see_the_running_statistics_of_their_row(every) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), models.MLP((4, 1)))
    call = partial(
        record,
        model,
        DATA,
        loss=losses.nll,
        optimizer=partial(torch.optim.SGD, lr=0.5),
        steps=6,
        batch_size=8,
        metrics=[losses.nll],
        validation=datasets.moons(12, seed=5),
    )
    whole, part = call(), call(keep=Keep(every=every, tensors=["0.*"]))
    for name, values in whole.metrics.items():
        np.testing.assert_allclose(part.metrics[name], values[::every], rtol=1e-5)
