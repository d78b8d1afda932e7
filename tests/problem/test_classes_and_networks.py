from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.nn import functional

from render.errors import InputError
from render.problem import datasets, losses, models

GENERATORS = {
    "moons": datasets.moons,
    "circles": datasets.circles,
    "spirals": datasets.spirals,
    "blobs": datasets.blobs,
    "xor": datasets.xor,
    "shapes": datasets.shapes,
    "sine": datasets.sine,
}


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_seed_draws_the_same_samples_in_each_dtype_and_touches_no_global_generator(make) -> None:
    before = torch.get_rng_state()
    first, again, other = make(41, seed=3), make(41, seed=3), make(41, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(first) == 41 and first.x.dtype == torch.float32
    assert torch.equal(first.x, again.x) and torch.equal(first.y, again.y)
    assert not torch.equal(first.x, other.x)
    double = make(41, seed=3, dtype=torch.float64)
    torch.testing.assert_close(double.x.float(), first.x, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "blobs", "xor", "shapes"])
def test_classes_are_whole_numbers_as_equal_in_number_as_can_be(name: str) -> None:
    data = GENERATORS[name](101)
    assert data.y.dtype == torch.int64 and data.y.shape == (101,)
    counts = data.y.bincount()
    assert counts.max() - counts.min() <= 1 and not torch.equal(data.y, data.y.sort().values)


def test_the_figures_lie_where_they_should() -> None:
    circles = datasets.circles(60, noise=0.0, factor=0.4, dtype=torch.float64)
    radius = circles.x.norm(dim=1)
    torch.testing.assert_close(radius, torch.where(circles.y == 1, 0.4, 1.0).double())
    moons = datasets.moons(60, noise=0.0, dtype=torch.float64)
    centre = torch.where(moons.y[:, None] == 1, torch.tensor([1.0, 0.5]), torch.zeros(2))
    torch.testing.assert_close((moons.x - centre).norm(dim=1), torch.ones(60).double())
    xor = datasets.xor(60, gap=0.2)
    assert torch.equal(xor.y == 1, xor.x.prod(dim=1) < 0) and xor.x.abs().min() >= 0.2 - 1e-6
    spirals = datasets.spirals(90, classes=3, turns=0.0, noise=0.0, dtype=torch.float64)
    angle = torch.atan2(spirals.x[:, 1], spirals.x[:, 0]) / (2 * torch.pi) % 1
    torch.testing.assert_close(angle, spirals.y / 3.0, atol=1e-6, rtol=0, check_dtype=False)
    blobs = datasets.blobs(3000, spread=0.1)
    torch.testing.assert_close(
        blobs.x[blobs.y == 0].mean(dim=0), torch.tensor([0.0, 1.0]), atol=0.02, rtol=0
    )


def test_a_sine_scatters_about_the_sine() -> None:
    data = datasets.sine(4000, frequency=1.5, noise=0.2)
    rest = data.y - torch.sin(3 * torch.pi * data.x)
    assert rest.std().item() == pytest.approx(0.2, rel=0.05) and data.x.min() < -0.99


def test_shapes_are_told_apart_without_noise_by_a_small_convolutional_network() -> None:
    data = datasets.shapes(240, size=8, noise=0.0)
    assert data.x.shape == (240, 64) and data.x.min() >= 0 and data.x.max() == 1
    assert datasets.shapes(4, size=28).x.shape == (4, 784)
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 8, 8)),
        torch.nn.Conv2d(1, 8, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(288, 4),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        losses.cross_entropy(net(data.x), data.y).backward()
        optimizer.step()
    assert (net(data.x).argmax(dim=1) == data.y).float().mean() > 0.9


def test_split_gives_each_sample_to_one_part() -> None:
    data = datasets.line(50)
    train, validation = datasets.split(data, 0.2, seed=1)
    assert len(train) == 40 and len(validation) == 10
    together = torch.cat((train.x, validation.x)).sort().values
    assert torch.equal(together, data.x.sort().values)
    again, _ = datasets.split(data, 0.2, seed=1)
    assert torch.equal(again.x, train.x)
    assert [len(part) for part in datasets.split(datasets.line(2), 0.01)] == [1, 1]


def test_an_mlp_is_linear_layers_with_activations_between() -> None:
    before = torch.get_rng_state()
    net = models.MLP((2, 5, 3), activation="relu", seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    w1, b1, w2, b2 = net.parameters()
    torch.testing.assert_close(net(x), torch.relu(x @ w1.T + b1) @ w2.T + b2)
    assert w1.abs().max() <= 2**-0.5 and w2.abs().max() <= 5**-0.5
    assert models.MLP((1, 4, 1))(torch.zeros(6)).shape == (6,)
    twin, other = models.MLP((2, 5, 3), seed=1), models.MLP((2, 5, 3), seed=2)
    assert torch.equal(next(twin.parameters()), w1)
    assert not torch.equal(next(other.parameters()), w1)
    assert models.MLP((2, 1), dtype=torch.float64)(x.double()).dtype == torch.float64


def test_a_point_is_its_two_parameters() -> None:
    point = models.Point(-2.0, 3)
    assert point(torch.zeros(1)).tolist() == [-2, 3]
    assert [name for name, _ in point.named_parameters()] == ["x", "y"]


def test_cross_entropy_is_torchs() -> None:
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    target = torch.arange(20) % 3
    assert losses.cross_entropy(logits, target) == functional.cross_entropy(logits, target)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: datasets.moons(0), "n is 0; give a whole number of at least 1"),
        (lambda: datasets.circles(5, factor=1.5), "factor is 1.5; give a radius between 0 and 1"),
        (lambda: datasets.spirals(5, classes=1), "classes is 1"),
        (lambda: datasets.blobs(5, spread=-1.0), "spread is -1.0"),
        (lambda: datasets.xor(5, gap=1), "gap is 1; give a distance"),
        (lambda: datasets.shapes(5, size=4), "size is 4; give at least 8 pixels"),
        (lambda: datasets.sine(5, noise=-0.1), "noise is -0.1"),
        (lambda: datasets.moons(5, dtype=torch.int64), "dtype is torch.int64"),
        (lambda: datasets.split(datasets.line(5), 1.0), "validation is 1.0; give a share"),
        (lambda: datasets.split(datasets.line(1)), "the dataset has 1 sample"),
        (lambda: models.MLP((3,)), "widths is (3,); give at least"),
        (lambda: models.MLP(3), "widths is 3"),
        (lambda: models.MLP((3, 0)), "a width is 0"),
        (lambda: models.MLP((3, 1), "tan"), "activation is 'tan'; choose elu, gelu"),
        (lambda: models.MLP((3, 1), ["tanh"]), "activation is ['tanh']"),
        (lambda: models.MLP((10**9, 10**9)), "does not fit into memory; give smaller widths"),
        (lambda: datasets.shapes(10, size=10**7), "give at most 1,000,000,000"),
        (lambda: datasets.split(None), "data is a NoneType; give a Dataset"),
        (lambda: losses.mse(torch.zeros(1), 3), "got a int; give two torch tensors"),
        (lambda: models.MLP((3, 1))(torch.zeros(4, 2)), "takes x of shape (n, 3), not (4, 2)"),
        (lambda: models.Point("a", 0), "x is 'a'; give one number"),
        (
            lambda: losses.cross_entropy(torch.zeros(4, 3), torch.zeros(4)),
            "(4, 3) and the target (4,) torch.float32; give logits (n, classes)",
        ),
        (lambda: losses.cross_entropy(torch.zeros(4), torch.zeros(4).long()), "shape (4,)"),
    ],
)
def test_wrong_arguments_say_so(build, message: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value) and "\n" not in str(caught.value)


OTHERWISE = {
    "moons": datasets.moons,
    "circles": partial(datasets.circles, factor=0.37),
    "spirals": partial(datasets.spirals, turns=1.3, classes=3),
    "blobs": partial(datasets.blobs, classes=7),
}


@pytest.mark.parametrize("draw", [*GENERATORS.values(), *OTHERWISE.values()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torchs_default_type_changes_no_point(draw, dtype) -> None:
    expected = draw(20, dtype=dtype)
    torch.set_default_dtype(torch.float64)
    try:
        data = draw(20, dtype=dtype)
    finally:
        torch.set_default_dtype(torch.float32)
    assert data.x.dtype == dtype
    assert torch.equal(data.x, expected.x) and torch.equal(data.y, expected.y)


@pytest.mark.parametrize("kind", [torch.bool, torch.int8, torch.int16, torch.int32, torch.uint16])
def test_cross_entropy_takes_classes_of_any_whole_type(kind) -> None:
    logits = torch.randn(5, 2)
    target = torch.tensor([0, 1, 1, 0, 1])
    assert losses.cross_entropy(logits, target.to(kind)) == losses.cross_entropy(logits, target)


@pytest.mark.parametrize("seed", [0, 7])
def test_first_weights_have_nothing_to_do_with_the_data_of_their_seed(seed) -> None:
    data = datasets.sine(400, seed=seed)
    weights = next(models.MLP((1, 400, 1), seed=seed).parameters())[:, 0].detach()
    assert abs(float(torch.corrcoef(torch.stack([data.x, weights]))[0, 1])) < 0.15
