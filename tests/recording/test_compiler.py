"""torch's compiler is loaded where something is compiled, and not before."""

import subprocess
import sys
import textwrap

import pytest

BEFORE = """
    import sys
    from functools import partial

    import torch

    from render import models, record, sweep
    from render.errors import RecordingError
    from render.problem import datasets, losses

    data = datasets.moons(30)
    make = partial(record, data=data, loss=losses.nll, steps=3)
    Optim = torch.optim


    def loaded():
        return "torch._dynamo" in sys.modules


    def compiles():
        weights = [torch.ones(3, requires_grad=True)]
        optimizer = Optim.SGD(weights, lr=0.5)

        @torch.compile(backend="eager")
        def step():
            optimizer.zero_grad()
            (weights[0] ** 2).sum().backward()
            optimizer.step()

        step()
        assert weights[0].tolist() == [0, 0, 0]
        return loaded() and torch._dynamo.utils.counters["stats"]["calls_captured"] > 0
"""

PLAIN = """
    class Fails(Optim.SGD):
        def step(self, closure=None):
            raise ValueError("no")

    try:
        make(models.MLP((2, 4, 1)), optimizer=partial(Fails, lr=0.1))
        failed = False
    except RecordingError:
        failed = True
    assert failed
    for optimizer in (Optim.SGD, Optim.Adam, partial(Optim.LBFGS, max_iter=2)):
        run = make(models.MLP((2, 4, 1)), optimizer=partial(optimizer, lr=0.1), batch_size=8)
        run.predict([[0.5, 0.5]], 1)

    class Looks(torch.nn.Linear):
        def forward(self, x):
            for module in [*sys.modules.values()]:  # as `inspect` does
                getattr(module, "__file__", None)
            return super().forward(x).squeeze(-1)

    make(Looks(2, 1), optimizer=partial(Optim.SGD, lr=0.1))
    two = {"one": models.MLP((2, 4, 1)), "other": models.MLP((2, 3, 1))}
    sweep(two, data, loss=losses.nll, optimizer=Optim.SGD, lr=[0.1], steps=2)
    assert not loaded() and not hasattr(Optim.SGD.zero_grad.__wrapped__, "__dynamo_disable")
    assert compiles()
"""

ASKED = """
    class Asks(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 1)

        def forward(self, x):
            import torch._dynamo.config

            assert torch._dynamo.config.recompile_limit > 0 and not torch._dynamo.is_compiling()
            return self.linear(x).squeeze(-1)

    torch.manual_seed(0)
    model = Asks()
    run = make(model, optimizer=partial(Optim.SGD, lr=0.1))
    assert loaded() and len(run.loss) == 4
    assert (run.params == make(model, optimizer=partial(Optim.SGD, lr=0.1)).params).all()
"""


@pytest.mark.parametrize("code", [PLAIN, ASKED], ids=["plain", "asked"])
def test_it_is_loaded_when_it_is_asked_for(code) -> None:
    script = textwrap.dedent(BEFORE) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
