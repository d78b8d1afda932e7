from __future__ import annotations

import numpy as np
import pytest
import torch

from render.errors import InputError
from render.problem import Dataset, datasets, losses


@pytest.mark.parametrize("n", [1, 50, 10_000])
def test_line_has_n_float32_points_in_the_unit_interval(n: int) -> None:
    data = datasets.line(n)
    assert data.x.shape == data.y.shape == (n,)
    assert data.x.dtype == data.y.dtype == torch.float32
    assert data.x.min() >= 0 and data.x.max() < 1


def test_line_scatters_about_the_line_with_the_given_noise() -> None:
    data = datasets.line(100_000, slope=-2.0, intercept=5.0, noise=0.7, seed=3)
    scatter = data.y - (-2.0 * data.x + 5.0)
    assert scatter.mean().item() == pytest.approx(0, abs=0.01)
    assert scatter.std().item() == pytest.approx(0.7, rel=0.02)


def test_without_noise_the_points_lie_on_the_line() -> None:
    data = datasets.line(20, noise=0.0, dtype=torch.float64)
    torch.testing.assert_close(data.y, 3 * data.x + 8, rtol=1e-15, atol=0)


def test_a_seed_draws_the_same_points_in_each_dtype_and_another_seed_others() -> None:
    assert torch.equal(datasets.line(50, seed=4).y, datasets.line(50, seed=4).y)
    assert not torch.equal(datasets.line(50, seed=4).y, datasets.line(50, seed=5).y)
    double = datasets.line(50, seed=4, dtype=torch.float64)
    assert double.x.dtype == torch.float64
    assert torch.equal(double.y.float(), datasets.line(50, seed=4).y)


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    datasets.line(50), datasets.threshold(50)
    assert torch.equal(torch.get_rng_state(), before)


def test_error_of_the_lectures_guess_has_the_expectation_of_the_formula() -> None:
    """L2: slope 10, intercept 5 on 50 points of slope 3, intercept 8."""
    errors = []
    for seed in range(1500):
        data = datasets.line(50, seed=seed)
        errors.append(losses.mse(10 * data.x + 5, data.y).item())
    assert np.mean(errors) == pytest.approx(49 / 3 - 21 + 9 + 0.09, abs=0.06)
    assert min(errors) < 4.10 < max(errors)


def test_threshold_labels_a_third_of_the_points_one() -> None:
    """L4."""
    data = datasets.threshold(10_000)
    assert set(data.y.tolist()) == {0.0, 1.0}
    assert data.y.mean().item() == pytest.approx(1 / 3, abs=0.02)


def test_threshold_labels_the_points_of_the_line_above_the_cut() -> None:
    data, points = datasets.threshold(200, seed=6, cut=9.5), datasets.line(200, seed=6)
    assert torch.equal(data.x, points.x)
    assert torch.equal(data.y, (points.y > 9.5).float())


def test_of_takes_lists_arrays_and_tensors() -> None:
    listed = datasets.of([1, 2, 3], [0, 1, 0])
    assert listed.x.dtype == torch.float32 and listed.y.dtype == torch.int64
    array = datasets.of(np.zeros((4, 2)), np.zeros(4))
    assert array.x.shape == (4, 2) and array.x.dtype == torch.float64
    asked = datasets.of(np.zeros(4), [1.0, 2.0, 3.0, 4.0], dtype=torch.float32)
    assert asked.x.dtype == asked.y.dtype == torch.float32
    assert len(asked) == 4


def test_numbers_beyond_whole_ones_of_torchs_are_taken_as_floats() -> None:
    assert datasets.line(3, slope=2**70).y.tolist() == datasets.line(3, slope=2.0**70).y.tolist()


def test_of_takes_an_array_that_runs_backwards() -> None:
    assert datasets.of(np.arange(3.0)[::-1], [1, 2, 3]).x.tolist() == [2, 1, 0]


def test_of_takes_a_masked_array_without_masked_values() -> None:
    assert datasets.of(np.ma.masked_array([1.0, 2.0], [0, 0]), [0.0, 1.0]).x.tolist() == [1, 2]


def test_of_copies_so_that_later_changes_stay_outside() -> None:
    x = torch.zeros(3)
    data = datasets.of(x, x)
    x += 1
    assert data.x.sum() == 0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: datasets.line(0), "n is 0; give a whole number of at least 1"),
        (lambda: datasets.line(-3), "n is -3"),
        (lambda: datasets.line(2.5), "n is 2.5"),
        (lambda: datasets.line(2**60), "give at most 1,000,000,000"),
        (lambda: datasets.line(True), "n is True"),
        (lambda: datasets.line(5, noise=-1), "noise is -1; a standard deviation is at least 0"),
        (lambda: datasets.line(5, slope=float("nan")), "slope is nan; give a finite number"),
        (lambda: datasets.line(5, slope=10**400), "slope is 10000000"),
        (lambda: datasets.line(5, seed=-1), "seed is -1"),
        (lambda: datasets.line(5, seed="a"), "seed is 'a'"),
        (lambda: datasets.line(5, dtype=torch.int32), "dtype is torch.int32"),
        (lambda: datasets.threshold(5, cut=float("inf")), "cut is inf"),
        (lambda: datasets.of([1.0], [1.0, 2.0]), "x has 1 rows and y has 2"),
        (lambda: datasets.of([], []), "x has shape (0,)"),
        (lambda: datasets.of(1.0, 2.0), "x has shape ()"),
        (lambda: datasets.of([[[1.0]]], [1.0]), "it must be (n,) or (n, features)"),
        (lambda: datasets.of([1.0, float("nan")], [1, 2]), "x holds 1 values that are NaN"),
        (lambda: datasets.of([1.0, 2.0], [1, float("inf")]), "the first in row 1"),
        (lambda: datasets.of(["a"], [1]), "; give lists, arrays or tensors"),
        (lambda: datasets.of([[1.0], [1.0, 2.0]], [1, 2]), "x (list) is not an array"),
        (lambda: datasets.of([1j], [1.0]), "x must be a dense tensor of real numbers"),
        (lambda: datasets.of(torch.ones(1, device="meta"), [1.0]), "or on the meta device"),
        (lambda: Dataset([1.0], [1.0]), "use datasets.of(x, y)"),
        (
            lambda: datasets.of([0.0, 1.0], torch.zeros(2).to(torch.float8_e4m3fn)),
            "y is torch.float8_e4m3fn, with which torch hardly computes; give y.float()",
        ),
        (
            lambda: datasets.of(np.ma.masked_array([1.0, 999.0], [0, 1]), [0.0, 1.0]),
            "x holds masked values; leave these samples out",
        ),
    ],
)
def test_what_is_not_a_dataset_says_why_in_one_line(build, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
