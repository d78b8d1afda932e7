"""What the scenes of networks show is true."""

import math
import re

import numpy as np
import pytest
import torch

from render import datasets
from render.errors import InputError


def network(params, layout, x, activation):
    """A multilayer perceptron written out: what follows from a row of parameters."""
    values, start = x.reshape(len(x), -1).astype(float), 0
    for number in range(0, len(layout), 2):
        (_, (outputs, inputs)), (_, (_,)) = layout[number : number + 2]
        weight = params[start : start + outputs * inputs].reshape(outputs, inputs)
        bias = params[start + weight.size : start + weight.size + outputs]
        values = values @ weight.T.astype(float) + bias
        start += weight.size + outputs
        if number + 2 < len(layout):
            values = activation(values)
    return values[:, 0] if values.shape[1] == 1 else values


def drawn(film, frame, panel):
    """The axes of a panel, in a figure that shows a frame."""
    return film.figure(frame).axes[list(film.panels_by_name).index(panel)]


def test_the_decision_boundary_is_where_the_network_is_undecided(shipped_film):
    film = shipped_film("decision_boundary")
    (run,) = film.runs
    for frame in (0, film.frames // 2, -1):
        points = drawn(film, frame, "F").lines[0].get_xydata()
        points = points[np.isfinite(points).all(axis=1)]
        logits = network(run.params[film.shown_steps[frame]], run.layout, points, np.tanh)
        chance = 1 / (1 + np.exp(-logits))
        assert len(points) > 100
        assert chance == pytest.approx(0.5, abs=0.03)


def test_the_decision_boundarys_accuracy_is_the_networks(shipped_film):
    film = shipped_film("decision_boundary")
    (run,) = film.runs
    everything = datasets.spirals(240, turns=1.25, noise=0.03, seed=0)
    parts = datasets.split(everything, validation=0.25, seed=0)
    frame = film.frames // 3
    step = film.shown_steps[frame]
    dots = drawn(film, frame, "A").lines[1::2]
    for part, dot in zip(parts, dots, strict=True):
        logits = network(run.params[step], run.layout, part.x.numpy(), np.tanh)
        right = np.mean((logits > 0) == (part.y.numpy() == 1))
        assert dot.get_xydata().tolist() == [[step, pytest.approx(right)]]
    assert run.metrics["accuracy"][-1] > 0.95 and run.metrics["val_accuracy"][-1] > 0.95


def test_the_decision_boundary_takes_the_data_it_names(shipped_film):
    film = shipped_film("decision_boundary", data="xor", steps=30)
    assert np.abs(film.runs[0].x).max() <= 1
    with pytest.raises(InputError, match="data is 'star'; choose spirals, moons, circles, xor"):
        shipped_film("decision_boundary", data="star")


def test_overfitting_validation_loss_rises_to_the_end_while_train_loss_falls(shipped_film):
    (run,) = shipped_film("overfitting").runs
    train, validation = run.loss, run.metrics["val_loss"]
    best = int(validation.argmin())
    assert 100 < best < run.steps / 2
    assert validation[-1] > 3 * validation[best]
    assert train[-1] < train[best] / 15
    thirds = np.array_split(np.arange(best, run.steps + 1), 3)
    for series, sign in ((validation, 1), (train, -1)):
        assert (np.diff([np.median(series[rows]) for rows in thirds]) * sign > 0).all()


def test_overfitting_draws_the_losses_of_points_that_are_and_are_not_learnt(shipped_film):
    film = shipped_film("overfitting")
    (run,) = film.runs
    parts = (datasets.sine(20, noise=0.3, seed=0), datasets.sine(60, noise=0.3, seed=1000))
    for part, dot in zip(parts, drawn(film, -1, "L").lines[1::2], strict=True):
        errors = network(run.params[-1], run.layout, part.x.numpy(), np.tanh) - part.y.numpy()
        assert dot.get_ydata()[0] == pytest.approx(np.mean(errors**2), rel=1e-2)
    learnt, kept_apart = drawn(film, -1, "F").collections
    assert np.array_equal(learnt.get_offsets(), np.c_[parts[0].x, parts[0].y])
    assert np.array_equal(kept_apart.get_offsets(), np.c_[parts[1].x, parts[1].y])


def test_early_stopping_stops_where_patience_ends(shipped_film):
    film = shipped_film("early_stopping")
    kept, run = film.runs
    validation = np.asarray(run.metrics["validation loss"])
    lowest = np.minimum.accumulate(validation)
    since = np.array(
        [np.flatnonzero(validation[: k + 1] == low)[0] for k, low in enumerate(lowest)]
    )
    stop = int(np.flatnonzero(np.arange(len(since)) - since >= 200)[0])
    assert stop < run.steps
    assert kept.steps == since[stop] == stop - 200
    reached = int(np.flatnonzero(film.shown_steps >= stop)[0])
    for frame, shown in ((reached - 1, False), (reached, True)):
        axes = drawn(film, frame, "L")
        assert axes._left_title.get_visible() is axes.patches[0].get_visible() is shown
    told = axes.get_title(loc="left")
    assert [int(number) for number in re.findall(r"\d+", told)] == [stop, kept.steps]
    waited = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (waited.x0, waited.x1) == pytest.approx((kept.steps, stop))


def test_early_stopping_keeps_what_training_passed_and_errs_less(shipped_film):
    film = shipped_film("early_stopping")
    kept, run = film.runs
    assert np.array_equal(kept.params, run.params[: kept.steps + 1])
    test = datasets.sine(500, noise=0.3, seed=2000)
    losses = []
    for other in (kept, run):
        predicted = network(other.params[-1], other.layout, test.x.numpy(), np.tanh)
        losses.append(np.mean((predicted - test.y.numpy()) ** 2))
        assert other.metrics["test loss"][-1] == pytest.approx(losses[-1], rel=1e-3)
    assert losses[1] > 2 * losses[0]
    assert run.loss[-1] < kept.loss[-1] / 10
    texts = {text.get_text() for text in drawn(film, -1, "N").texts}
    assert {f"{other.metrics['test loss'][-1]:.4f}" for other in (kept, run)} <= texts


def test_early_stopping_says_when_patience_was_not_used_up(shipped_film):
    film = shipped_film("early_stopping", steps=20)
    assert "not used up by step 20" in drawn(film, -1, "L").get_title(loc="left")
    with pytest.raises(InputError, match="patience=0 is not a whole number of steps, at least 1"):
        shipped_film("early_stopping", steps=20, patience=0)


def test_early_stopping_says_when_the_loss_gets_lower_later(shipped_film):
    film = shipped_film("early_stopping", lr=0.02, steps=120, patience=20, seed=7)
    kept, run = film.runs
    assert run.metrics["validation loss"].argmin() > kept.steps
    told = drawn(film, -1, "L").get_title(loc="left")
    assert told == f"stopped at step {kept.steps + 20}: lowest so far, at {kept.steps}"
    assert "misses the lowest" in film.title
    assert shipped_film("early_stopping").title.startswith("Early stopping keeps")


def test_overfitting_is_not_claimed_where_there_is_none(shipped_film):
    film = shipped_film("overfitting", n=200, width=8, steps=60)
    assert film.title == "No overfitting by step 60: validation loss ends near its lowest"
    assert "validation loss rises" in shipped_film("overfitting").title


def test_loss_landscapes_shares_of_variance_are_eigenvalues_of_the_covariance(shipped_film):
    film = shipped_film("loss_landscape")
    (run,) = film.runs
    eigenvalues = np.linalg.eigvalsh(np.cov(run.params.T.astype(float)))[::-1]
    shares = eigenvalues / eigenvalues.sum()
    principal = film.panels["P"].landscape
    assert principal.explained == pytest.approx(tuple(shares[:2]), rel=1e-6)
    told = drawn(film, 0, "P").get_title(loc="left")
    assert f"{100 * shares[:2].sum():.1f}% of variance" in told


def test_loss_landscapes_path_is_near_its_plane_and_far_from_a_random_one(shipped_film):
    film = shipped_film("loss_landscape")
    (run,) = film.runs
    for frame in (0, film.frames // 2):
        here, end = run.params[film.shown_steps[frame]].astype(float), run.params[-1]
        distances = []
        for name in "PR":
            directions = film.panels[name].landscape.directions
            best, *_ = np.linalg.lstsq(directions.T, here - end, rcond=None)
            distances.append(np.linalg.norm(here - end - best @ directions))
            told = drawn(film, frame, name).texts[0].get_text()
            assert told.startswith(f"ring: {distances[-1]:.2f} off the plane")
        assert distances[1] > 2 * distances[0]
    random = film.panels["R"].landscape.directions
    basis = np.linalg.qr(random.T)[0]
    centred = run.params - run.params.mean(axis=0, dtype=float)
    share = np.sum((centred @ basis) ** 2) / np.sum(centred**2)
    assert share < 0.05
    assert f"{100 * share:.1f}% of variance" in drawn(film, 0, "R").get_title(loc="left")


def test_loss_landscapes_heights_are_the_networks_loss(shipped_film):
    film = shipped_film("loss_landscape")
    (run,) = film.runs
    for name in "PR":
        land = film.panels[name].landscape
        for row, column in ((0, 0), (20, 31), (-1, 5)):
            params = run.params[-1] + np.array([land.a[column], land.b[row]]) @ land.directions
            logits = network(params, run.layout, run.x, np.tanh)
            clamped = np.clip(logits, -math.log(99999), math.log(99999))
            expected = np.mean(np.logaddexp(0, clamped) - run.y * clamped)
            assert land.loss[row, column] == pytest.approx(expected, rel=1e-3)


def test_loss_landscapes_random_directions_have_the_filters_norms(shipped_film):
    film = shipped_film("loss_landscape")
    (run,) = film.runs
    for direction in film.panels["R"].landscape.directions:
        start = 0
        for _, shape in run.layout:
            size = math.prod(shape)
            mine, network_s = (v[start : start + size] for v in (direction, run.params[-1]))
            if len(shape) == 1:
                assert not mine.any()
            else:
                norms = [np.linalg.norm(v.reshape(shape), axis=1) for v in (mine, network_s)]
                assert norms[0] == pytest.approx(norms[1], rel=1e-5)
            start += size


def test_weights_and_gradients_norms_are_those_of_a_plain_backward_pass(shipped_film):
    film = shipped_film("weights_and_gradients")
    data = datasets.circles(160, seed=0)
    for frame in (0, film.frames // 2):
        step = film.shown_steps[frame]
        axes = drawn(film, frame, "G")
        for line in axes.lines[:2]:
            run = film.panels["G"].runs[line.get_label()]
            layers, start = [], 0
            for _, shape in run.layout:
                size = math.prod(shape)
                layers.append(torch.tensor(run.params[step, start : start + size]).view(shape))
                layers[-1].requires_grad_()
                start += size
            values = data.x
            for number in range(0, len(layers), 2):
                values = values @ layers[number].T + layers[number + 1]
                values = values.relu() if number + 2 < len(layers) else values
            torch.nn.functional.cross_entropy(values, data.y).backward()
            norms = [layer.grad.norm().item() for layer in layers[::2]]
            assert line.get_ydata() == pytest.approx(norms, rel=1e-3)


def test_weights_and_gradients_start_as_he_says_times_a_scale(shipped_film):
    film = shipped_film("weights_and_gradients")
    runs = dict(film.panels["G"].runs)
    for label, scale in (("half of He", 0.5), ("He", 1.0), ("twice He", 2.0)):
        hidden = runs[label].params[0, 72 : 72 + 24 * 24]  # after 2 x 24 weights and 24 biases
        assert hidden.std() == pytest.approx(scale * math.sqrt(2 / 24), rel=0.08)


def test_weights_and_gradients_vanish_and_explode(shipped_film):
    film = shipped_film("weights_and_gradients")
    small, good, large = (film.panels["G"].values[name][0] for name in film.panels["G"].runs)
    assert (100 * small < good).all() and (100 * good < large).all()
    half, he, twice = film.runs
    assert half.loss == pytest.approx(math.log(2), abs=0.02)  # as good as a coin
    assert he.loss[-1] < 0.02
    assert twice.diverged_at is not None and twice.diverged_at < 10
    told = drawn(film, -1, "G").get_title(loc="left")
    assert told == f"twice He diverged at step {twice.diverged_at}"


def test_weights_and_gradients_histograms_count_the_weights(shipped_film):
    film = shipped_film("weights_and_gradients")
    step = film.shown_steps[-1]
    axes = drawn(film, -1, "H")
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["layer 2", "layer 5", "layer 8"]
    drawn_rows = axes.lines[1].get_ydata().reshape(3, -1)[:, 1:-2:2] - np.arange(3)[:, None]
    edges = np.linspace(*axes.get_xlim(), drawn_rows.shape[1] + 1)
    he = film.runs[1]
    first = 2 * 24 + 24
    starts = [first + (layer - 2) * (24 * 24 + 24) for layer in (2, 5, 8)]
    counts = [np.histogram(he.params[step, s : s + 576], edges)[0] for s in starts]
    assert drawn_rows / drawn_rows.sum() == pytest.approx(np.array(counts) / np.sum(counts))
