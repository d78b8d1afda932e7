"""The torch core against the plain way, each a ratio within one run.

    python benchmarks/recording.py [--quick] [CASE...]

Cases: sweep, landscape, convolutions, predict, record, line; and graph, bare on CUDA.
Times are wall-clock medians of interleaved repetitions, so that a busy machine slows both sides.
A ratio "faster" is the plain way's time over ours; a ratio "of its time" is the other way round.
"""

from __future__ import annotations

import argparse
import copy
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from unittest import mock

import numpy as np
import recording_plain as plain
import torch

from render.problem import datasets, losses, models
from render.recording import Trajectory, landscape, record, sweep

SGD = torch.optim.SGD


@dataclass(frozen=True, kw_only=True)
class Case:
    """Two ways to the same numbers, and what their ratio has to be."""

    title: str
    ours: Callable[[], object]
    plain: Callable[[], object]
    bound: str
    faster: bool
    repeats: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help=f"by default all: {', '.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and points")
    parser.add_argument("--threads", type=int, help="torch's threads; by default its own choice")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case named {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if options.threads:
        torch.set_num_threads(options.threads)
    print(machine())
    if not torch.cuda.is_available() and (asked := ON_CUDA & set(options.cases)):
        parser.error(f"{', '.join(sorted(asked))}: needs CUDA, which torch does not find here")
    here = [name for name in CASES if name not in ON_CUDA or torch.cuda.is_available()]
    for name in options.cases or here:
        print(measured(CASES[name](options.quick)), flush=True)


def measured(case: Case) -> str:
    """Run both ways in turn and return a line of the table."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    case.ours()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    case.plain()
    ours: list[float] = []
    other: list[float] = []
    for repeat in range(case.repeats):
        pair = [(case.ours, ours), (case.plain, other)]
        for way, times in pair if repeat % 2 else pair[::-1]:
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
    mine, theirs = statistics.median(ours), statistics.median(other)
    ratio = f"{theirs / mine:.2f}x faster" if case.faster else f"{mine / theirs:.3f}x its time"
    return (
        f"{case.title}: {ratio} (bound {case.bound}); {mine:.3f} s against {theirs:.3f} s, "
        f"medians of {case.repeats}; peak memory grew by {grown:.0f} MB"
    )


def many_rates(quick: bool) -> Case:
    model, data, steps = models.Line(-1.0, 1.0), datasets.line(1000), 400 if quick else 2000
    rates = np.geomspace(1e-4, 0.5, 16)

    def separate() -> None:
        for rate in rates:
            record(model, data, loss=losses.mse, optimizer=partial(SGD, lr=rate), steps=steps)

    return Case(
        title=f"sweep of 16 rates, line fit, 1,000 points, {steps} steps",
        ours=lambda: sweep(model, data, loss=losses.mse, optimizer=SGD, lr=rates, steps=steps),
        plain=separate,
        bound="8x",
        faster=True,
        repeats=3 if quick else 5,
    )


def trained_mlp(steps: int = 300):
    return record(
        models.MLP((2, 16, 16, 1)),
        datasets.spirals(200),
        loss=losses.nll,
        optimizer=partial(torch.optim.Adam, lr=0.01),
        steps=steps,
    )


def mlp_landscape(quick: bool) -> Case:
    run = trained_mlp()
    land = landscape(run, "random", grid=50)
    return Case(
        title="landscape of 50 x 50 points, MLP 2-16-16-1, 200 samples",
        ours=lambda: landscape(run, "random", grid=50),
        plain=lambda: plain.landscape(run, land),
        bound="6x",
        faster=True,
        repeats=3 if quick else 7,
    )


def convolutional_landscape(quick: bool) -> Case:
    run = record(
        plain.lenet(),
        datasets.shapes(500, size=28),
        loss=losses.cross_entropy,
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        steps=3,
        batch_size=64,
    )
    side = 8 if quick else 16
    land = landscape(run, "random", grid=side)
    return Case(
        title=f"landscape of {side} x {side} points, LeNet, 500 images of 28 x 28",
        ours=lambda: landscape(run, "random", grid=side),
        plain=lambda: plain.landscape(run, land),
        bound="1.05x, under 1 GB",
        faster=False,
        repeats=3 if quick else 5,
    )


def predictions(quick: bool) -> Case:
    run, side = trained_mlp(), 100 if quick else 200
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return Case(
        title=f"predict for 300 steps over {side} x {side} points",
        ours=lambda: run.predict(grid, range(300)),
        plain=lambda: plain.predictions(run, grid, range(300)),
        bound="1.05x",
        faster=False,
        repeats=3 if quick else 5,
    )


def recorded_network(quick: bool) -> Case:
    model, data, steps = models.MLP((2, 16, 16, 1)), datasets.spirals(640), 400 if quick else 1500
    optimizer = partial(torch.optim.Adam, lr=0.01)
    call = partial(record, model, data, loss=losses.nll, optimizer=optimizer, batch_size=64)
    batches = torch.tensor(call(steps=steps).batch, dtype=torch.int64)
    return Case(
        title=f"record, MLP on spirals, Adam, batch 64, {steps} steps",
        ours=lambda: call(steps=steps),
        plain=lambda: plain.training(model, data, losses.nll, optimizer, steps, batches),
        bound="1.05x",
        faster=False,
        repeats=5 if quick else 11,
    )


def recorded_line(quick: bool) -> Case:
    model, data, steps = models.Line(-1.0, 1.0), datasets.line(10_000), 500 if quick else 3000
    optimizer = partial(SGD, lr=1e-3)
    return Case(
        title=f"record, line fit, 10,000 points, SGD, {steps} steps",
        ours=lambda: record(model, data, loss=losses.mse, optimizer=optimizer, steps=steps),
        plain=lambda: plain.training(model, data, losses.mse, optimizer, steps, None),
        bound="1.05x",
        faster=False,
        repeats=5 if quick else 11,
    )


def recorded_on_gpu(quick: bool, *, against: str) -> Case:
    """Compare a run that is captured with the same run kept from it, or with the bare loop."""
    steps = 500 if quick else 3000
    model, data, optimizer = models.Line(-1.0, 1.0), datasets.line(10_000), partial(SGD, lr=1e-3)
    run = partial(record, model, data, loss=losses.mse, optimizer=optimizer, device="cuda")
    there = datasets.of(data.x.cuda(), data.y.cuda())

    def eager() -> Trajectory:
        with mock.patch("render.recording.loop.objection", lambda task: "measured"):
            return run(steps=steps)

    def bare() -> None:
        plain.training(copy.deepcopy(model).cuda(), there, losses.mse, optimizer, steps, None)
        torch.cuda.synchronize()

    told = run(steps=steps).meta["cuda_graph"], eager().meta["cuda_graph"]
    assert told == ("captured", "eager: measured"), told
    return Case(
        title=f"line fit, 10,000 points, SGD, {steps} steps on CUDA, graph against {against} loop",
        ours=partial(run, steps=steps),
        plain={"eager": eager, "bare": bare}[against],
        bound="5x",
        faster=True,
        repeats=5 if quick else 11,
    )


def machine() -> str:
    """Return what the numbers were measured on."""
    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"{platform.machine()} {sys.platform}, {torch.get_num_threads()} threads"
        + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "")
    )


ON_CUDA = {"graph", "bare"}
CASES: dict[str, Callable[[bool], Case]] = {
    "sweep": many_rates,
    "landscape": mlp_landscape,
    "convolutions": convolutional_landscape,
    "predict": predictions,
    "record": recorded_network,
    "line": recorded_line,
    "graph": partial(recorded_on_gpu, against="eager"),
    "bare": partial(recorded_on_gpu, against="bare"),
}

if __name__ == "__main__":
    main()
