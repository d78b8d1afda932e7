from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from render.errors import InputError
from render.problem import datasets, losses, metrics, models

CLAMP = -math.log(1e-5)
"""The loss of a label whose probability is at the clamp."""


def test_line_is_slope_times_x_plus_intercept() -> None:
    line = models.Line(slope=-1.0, intercept=0.5)
    assert line(torch.tensor([0.0, 2.0])).tolist() == [0.5, -1.5]
    assert [(name, p.shape) for name, p in line.named_parameters()] == [
        ("slope", ()),
        ("intercept", ()),
    ]


def test_a_models_type_is_chosen_and_holds_the_number_exactly() -> None:
    assert models.Line(0.1, 0.2, dtype=torch.float64).slope.item() == 0.1
    assert models.Line(0.1, 0.2).slope.dtype == torch.float32


def test_logistic_gives_logits_and_probabilities() -> None:
    model = models.Logistic(slope=2.0, intercept=-1.0)
    x = torch.tensor([0.0, 0.5, 1.0])
    assert model(x).tolist() == [-1.0, 0.0, 1.0]
    torch.testing.assert_close(model.probability(x), torch.sigmoid(torch.tensor([-1.0, 0.0, 1.0])))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.Line("steep", 0), "slope is 'steep'; give one number"),
        (lambda: models.Line(0, torch.zeros(2)), "intercept is tensor([0., 0.])"),
        (lambda: models.Line(0, 0, dtype=torch.int64), "dtype is torch.int64"),
        (lambda: models.Line(0, 0)(torch.zeros(3, 1)), "Line takes x of shape (n,), not (3, 1)"),
        (lambda: losses.mse(torch.zeros(3, 1), torch.zeros(3)), "(3, 1) and the target (3,)"),
        (lambda: losses.nll(torch.zeros(3), torch.zeros(3, 1)), "(3,) and the target (3, 1)"),
        (lambda: losses.cross_entropy([[0.0, 1.0]], torch.zeros(1).long()), "got a list; give two"),
        (lambda: metrics.accuracy(torch.zeros(3), 0.5), "accuracy: got a float; give two torch"),
        (lambda: metrics.accuracy(torch.zeros(3, 1), torch.zeros(3)), "give logits (n,)"),
        (lambda: metrics.accuracy(torch.zeros(3), torch.zeros(4)), "(3,) and the target (4,)"),
    ],
)
def test_wrong_arguments_say_so(build, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)


def test_mse_is_torchs() -> None:
    prediction, target = torch.randn(2, 30, generator=torch.Generator().manual_seed(0))
    expected = functional.mse_loss(prediction, target)
    torch.testing.assert_close(losses.mse(prediction, target), expected)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_nll_is_torchs_cross_entropy_away_from_the_clamp(kind: torch.dtype) -> None:
    logits = torch.linspace(-11, 11, 201, dtype=kind)
    target = (torch.arange(201) % 2).to(kind)
    expected = functional.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(losses.nll(logits, target), expected, rtol=1e-7, atol=0)


def test_nll_equals_the_formula_with_clamped_probabilities() -> None:
    """L5, in float64, where the formula's own rounding is small."""
    logits = torch.linspace(-20, 20, 401, dtype=torch.float64)
    target = (torch.arange(401) % 3 == 0).double()
    p = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    formula = -(target * p.log() + (1 - target) * (1 - p).log()).mean()
    torch.testing.assert_close(losses.nll(logits, target), formula, rtol=1e-9, atol=0)


@pytest.mark.parametrize(("logit", "label"), [(-12.0, 1.0), (-1e4, 1.0), (50.0, 0.0)])
def test_beyond_the_clamp_the_loss_is_constant_and_flat(logit: float, label: float) -> None:
    logits = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
    loss = losses.nll(logits, torch.tensor([label]))
    loss.backward()
    assert loss.item() == pytest.approx(CLAMP, rel=1e-9)
    assert logits.grad is not None and logits.grad.item() == 0


def test_nll_takes_whole_number_labels() -> None:
    logits = torch.tensor([0.3, -2.0])
    assert losses.nll(logits, torch.tensor([1, 0])) == losses.nll(logits, torch.tensor([1.0, 0.0]))


@pytest.mark.parametrize(
    ("prediction", "target", "share"),
    [
        ([1.0, -1.0, 2.0, -3.0], [1.0, 0.0, 0.0, 0.0], 0.75),
        ([1.0, -1.0], [1, 0], 1.0),
        ([float("nan"), float("nan")], [0, 1], 0.0),
        ([[1.0, 2.0, 0.0], [5.0, 1.0, 1.0]], [1, 2], 0.5),
        ([[float("nan"), 1.0], [0.0, 1.0]], [0, 1], 0.5),
    ],
)
def test_accuracy_is_the_share_of_right_labels(prediction, target, share: float) -> None:  # type: ignore[no-untyped-def]
    assert metrics.accuracy(torch.tensor(prediction), torch.tensor(target)) == share


def test_gradients_by_hand_equal_automatic_ones() -> None:
    """L7: d/db = 2 (yhat - y), d/da = x d/db, averaged over 50 points."""
    data = datasets.line(50, dtype=torch.float64)
    line = models.Line(slope=-1.0, intercept=1.0, dtype=torch.float64)
    losses.mse(line(data.x), data.y).backward()
    residual = 2 * (-1.0 * data.x + 1.0 - data.y)
    torch.testing.assert_close(line.intercept.grad, residual.mean(), rtol=1e-14, atol=0)
    torch.testing.assert_close(line.slope.grad, (data.x * residual).mean(), rtol=1e-14, atol=0)
