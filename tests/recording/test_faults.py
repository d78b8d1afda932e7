"""Errors of a user's own code name the line that they are from."""

from functools import partial

import pytest
import torch
from torch import nn

from render import datasets, losses, models, record
from render.errors import RecordingError

CODE = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.b * x


def late(calls=[0]):
    def loss(prediction, target):
        calls[0] += 1
        if calls[0] > 3:
            raise ValueError("late")
        return (prediction - target).square().mean()
    return loss


def metric(prediction, target):
    return torch.zeros(2) @ torch.zeros(3)


class Optimizer(torch.optim.SGD):
    def step(self):
        raise RuntimeError("tired")


def factory(params):
    return torch.optim.SGD(params, lr=-1)
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(CODE)
    names = {}
    exec(compile(CODE, str(path), "exec"), names)
    return names


def recorded(**changes):
    wanted = {
        "model": models.Line(slope=0.0, intercept=0.0),
        "loss": losses.mse,
        "optimizer": partial(torch.optim.SGD, lr=0.1),
        "steps": 9,
    }
    wanted |= changes
    record(wanted.pop("model"), datasets.line(8), **wanted)


@pytest.mark.parametrize(
    ("changes", "words", "line"),
    [
        (lambda own: {"model": own["Model"]()}, "has no attribute 'b'", 10),
        (lambda own: {"loss": own["late"]()}, "ValueError: late", 17),
        (lambda own: {"metrics": [own["metric"]]}, "metric cannot be computed", 23),
        (lambda own: {"optimizer": own["Optimizer"]}, "tired", 28),
    ],
)
def test_the_line_of_a_users_own_code(own, changes, words, line):
    with pytest.raises(RecordingError, match=words) as caught:
        recorded(**changes(own))
    assert str(caught.value).endswith(f"; see own.py, line {line}")


def test_a_factory_of_ones_own(own):
    with pytest.raises(ValueError, match=r"cannot be built \(Invalid learning rate") as caught:
        recorded(optimizer=own["factory"])
    assert str(caught.value).endswith("; see own.py, line 32")


def test_what_libraries_raise_by_themselves_has_no_line():
    with pytest.raises(RecordingError, match=r"check that they fit together$"):
        recorded(model=nn.Linear(3, 1))
