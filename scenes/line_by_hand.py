"""Gradients by hand: the lecture's first film."""

import numpy as np
import torch
from matplotlib.axes import Axes

from render import Film, Timeline, datasets, losses, models, record, scene

PLACES = np.linspace(0.1, 0.9, 5)  # at which the other line is marked
FAR = 1000.0  # beyond it a line has left the picture for good


class ByHand(torch.optim.Optimizer):
    """Gradient descent with the derivatives written out: d/db = 2(yhat - y), d/da = x d/db."""

    def __init__(self, params, lr, x, y):
        super().__init__(params, {"lr": lr})
        self.x, self.y = x, y

    @torch.no_grad()
    def step(self, closure=None):
        """Move slope a and intercept b down the gradient of the mean squared error."""
        (group,) = self.param_groups
        a, b = group["params"]
        db = 2 * (a * self.x + b - self.y)
        a -= group["lr"] * (self.x * db).mean()
        b -= group["lr"] * db.mean()


@scene
def line_by_hand(lr: float = 0.01, steps: int = 570, n: int = 50, seed: int = 0) -> Film:
    """Gradients by hand equal automatic differentiation."""
    data = datasets.line(n, slope=3.0, intercept=8.0, noise=0.3, seed=seed)
    runs = [
        record(
            models.Line(slope=-1.0, intercept=1.0), data, loss=losses.mse, optimizer=o, steps=steps
        )
        for o in (
            lambda params: ByHand(params, lr, data.x, data.y),
            lambda params: torch.optim.SGD(params, lr=lr),
        )
    ]
    by_hand, autograd = (run.params for run in runs)

    def panel(ax: Axes):
        ax.scatter(data.x, data.y, s=8, color=ax.spines["left"].get_edgecolor())
        (line,) = ax.plot([0, 1], [0, 0], label="by hand")
        rings = {"linestyle": "none", "marker": "o", "markerfacecolor": ax.get_facecolor()}
        (others,) = ax.plot(PLACES, PLACES, label="autograd", **rings)
        ax.set(xlim=(0, 1), ylim=(-0.5, 13), xlabel="x", ylabel="y")
        ax.legend(loc="upper left", frameon=False)

        def update(step: int) -> None:
            a, b = by_hand[step]
            line.set_ydata([b, a + b])
            a, b = autograd[step]
            others.set_ydata(a * PLACES + b)
            gap = abs(by_hand[step] - autograd[step]).max()
            apart = not abs(autograd[step]).max() < FAR
            words = "both runs diverged" if apart else f"runs differ by {gap:.1g}"
            ax.set_title(f"step {step}: {words}")

        return update

    panel.steps = steps
    return Film([panel], fps=10, size=(500, 400), dpi=100, timeline=Timeline(every=30), title="")
