"""Training with patience: stop where the validation loss was lowest."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from render import Film, Timeline, datasets, losses, models, panels, record, scene
from render.errors import InputError


@scene
def early_stopping(
    lr: float = 0.004, steps: int = 2000, n: int = 20, patience: int = 200, seed: int = 0
) -> Film:
    """Early stopping keeps the weights of the lowest validation loss."""
    if patience < 1:
        raise InputError(f"patience is {patience!r}; give at least 1 step")
    train, validation, test = (
        datasets.sine(size, noise=0.3, seed=seed + 1000 * part)
        for part, size in enumerate((n, 60, 500))
    )

    def trained(steps: int):
        run = record(
            models.MLP((1, 40, 40, 1), seed=seed),
            train,
            loss=losses.mse,
            optimizer=partial(torch.optim.Adam, lr=lr),
            steps=steps,
            validation=validation,
        )
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged
            errors = run.predict(test.x, range(steps + 1)) - test.y.numpy()
            test_loss = (errors**2).mean(axis=1)
        shown = {"validation loss": run.metrics["val_loss"], "test loss": test_loss}
        return replace(run, metrics=shown)

    run = trained(steps)
    validation_loss = run.metrics["validation loss"]
    best, stop = stopping(validation_loss, patience)
    lowest = not (validation_loss < validation_loss[best]).any()
    runs = {"stopped early": trained(best), "not stopped": run}
    return Film(
        {
            "F": panels.Fit(runs, validation=validation, marker_area=45, y_limits=(-2, 2.8)),
            "L": Patience(runs, "validation loss", best=best, stop=stop, lowest=lowest),
            "N": panels.Readout(runs, show=("step", "validation loss", "test loss")),
        },
        mosaic="FL\nNN",
        height_ratios=(13, 4),
        title=None if lowest else "Too little patience misses the lowest validation loss",
        seconds=13,
        timeline=Timeline("log", hold_start=0.5, hold_end=1.5),
    )


def stopping(losses, patience: int) -> tuple[int, int | None]:
    """Return the step of the lowest loss so far, and the step that is `patience` steps later."""
    best = 0
    for step, loss in enumerate(losses):
        if loss < losses[best]:
            best = step
        if step - best == patience:
            return best, step
    return best, None


@dataclass(frozen=True)
class Patience(panels.Curve):
    """A curve that marks, once it has got there, where training stops and what is kept."""

    best: int = 0
    stop: int | None = None
    lowest: bool = True  # of all steps, not only of those up to the stop

    def __call__(self, ax):
        """Draw the curve and the wait; return the update that shows both in their time."""
        draw = super().__call__(ax)
        if self.stop is None:
            at, words = self.steps, f"patience was not used up by step {self.steps}"
        else:
            so_far = "" if self.lowest else "so far, "
            at, words = self.stop, f"stopped at step {self.stop}: lowest {so_far}at {self.best}"
        marks = [ax.set_title(words), ax.axvspan(self.best, at, color="0.5", alpha=0.2, lw=0)]

        def update(step: int) -> None:
            draw(step)
            for mark in marks:
                mark.set_visible(step >= at)

        return update
