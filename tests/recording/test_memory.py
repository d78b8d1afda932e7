"""What a recording takes, and what memory is free: of the machine, and of a container in it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import RecordingError
from render.problem import datasets, losses, models
from render.recording import Keep, memory, record, session, watching

V2 = {
    "max": "memory.max",
    "current": "memory.current",
    "cache": "inactive_file",
    "line": "0::/pod/box",
    "root": "",
}
V1 = {
    "max": "memory.limit_in_bytes",
    "current": "memory.usage_in_bytes",
    "cache": "total_inactive_file",
    "line": "4:cpu:/other\n3:hugetlb,memory:/pod/box",
    "root": "memory",
}


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Make files as Linux shows them: 1,000 kB free, and groups by their path."""

    def system(version, groups: dict[str, tuple[str, int, int]]) -> None:
        for at, (most, current, cache) in groups.items():
            group = tmp_path / "groups" / version["root"] / at
            group.mkdir(parents=True, exist_ok=True)
            (group / version["max"]).write_text(f"{most}\n")
            (group / version["current"]).write_text(f"{current}\n")
            (group / "memory.stat").write_text(f"anon 7\n{version['cache']} {cache}\n")
        (tmp_path / "self").mkdir()
        (tmp_path / "self" / "cgroup").write_text(version["line"] + "\n")
        (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable: 1000 kB\n")

    monkeypatch.setattr(memory, "_PROCESSES", tmp_path)
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    return system


@pytest.mark.parametrize("version", [V1, V2], ids=["version 1", "version 2"])
@pytest.mark.parametrize(
    ("groups", "free"),
    [
        ({"pod/box": ("9000", 5000, 600)}, 9000 - 5000 + 600),
        ({"pod/box": ("9000", 0, 0), "pod": ("3000", 1000, 0)}, 2000),
        ({"": ("800", 300, 0)}, 500),  # a container sees its own group as the root
        ({"pod/box": ("100", 500, 0)}, 0),
        ({"pod/box": ("9223372036854771712", 5000, 0)}, 1000 * 1024),
        ({"pod/box": ("max", 5000, 0)}, 1000 * 1024),
        ({}, 1000 * 1024),
    ],
)
def test_a_containers_limit_counts(system, version, groups, free: int) -> None:
    system(version, groups)
    assert memory.free_bytes() == free


def test_a_system_that_does_not_say_has_no_limit(monkeypatch) -> None:
    monkeypatch.setattr(memory, "_PROCESSES", Path("/nowhere"))
    assert memory.free_bytes() is None


class Queue(nn.Module):
    """A line beside a buffer that each call moves, and a larger one that stays."""

    def __init__(self) -> None:
        super().__init__()
        self.line = models.Line(-1.0, 1.0)
        self.register_buffer("queue", torch.zeros(1000))
        self.register_buffer("still", torch.zeros(10**5))
        self.calls = 0

    def forward(self, x):
        self.queue[self.calls] = 1.0
        self.calls += 1
        return self.line(x) + self.queue[: self.calls].mean()


RUN = partial(
    record,
    data=datasets.line(8),
    loss=losses.mse,
    optimizer=partial(torch.optim.SGD, lr=0.1),
    steps=60,
)
TENSORS = Keep(tensors=["line.slope"])


def test_buffers_that_move_are_part_of_what_a_recording_takes() -> None:
    """Three times 61 rows of 1,000 numbers, when arrays are made of them; of the others none."""
    run, without = RUN(Queue()), RUN(models.Line(-1.0, 1.0))
    assert run.buffers["queue"].sum(axis=1).tolist() == list(range(61))
    taken = run.meta["recording_bytes"] - without.meta["recording_bytes"]
    assert taken == 3 * 61 * 1000 * 4


def test_a_run_whose_buffers_would_not_fit_ends_after_its_first_step(monkeypatch) -> None:
    model, calls = Queue(), []
    model.register_forward_hook(lambda *_: calls.append(1) and None)
    monkeypatch.setattr(memory, "free_bytes", lambda: 3 * 61 * 1000 * 4 - 1)
    with pytest.raises(
        RecordingError, match=r"61 rows of the model's buffers take 0\.0 GB"
    ) as caught:
        RUN(model)
    assert len(calls) == 1 and "keep=Keep(every=10)" in str(caught.value)
    RUN(model, keep=Keep(every=2))
    RUN(model, keep=TENSORS)


def test_a_run_that_cannot_be_evaluated_has_no_buffers() -> None:
    with session() as opened:
        run = RUN(Queue(), keep=TENSORS)
    assert run.buffers == {}
    assert run.meta["recording_bytes"] == RUN(Wrapped(), keep=TENSORS).meta["recording_bytes"]
    np.testing.assert_array_equal(run.params[:, 0], RUN(Queue()).params[:, 0])
    with pytest.raises(RecordingError, match="without the parameters that it takes"):
        run.predict([0.5], 0)
    with session(replay=opened.runs):
        RUN(Queue(), keep=TENSORS)


class Wrapped(nn.Module):
    """The line alone."""

    def __init__(self) -> None:
        super().__init__()
        self.line = models.Line(-1.0, 1.0)

    def forward(self, x):
        return self.line(x)


@pytest.mark.parametrize("keep", [None, TENSORS], ids=["whole", "tensors"])
def test_metrics_are_part_of_what_a_recording_takes(keep) -> None:
    """Eight bytes a row for each of two metrics, for both of the validation data, and its loss."""
    more = dict(metrics={"a": losses.mse, "b": losses.mse}, validation=datasets.line(5, seed=1))
    sizes = [RUN(Wrapped(), keep=keep, **each).meta["recording_bytes"] for each in ({}, more)]
    assert sizes[1] - sizes[0] == 5 * 8 * 61


@pytest.mark.parametrize("loose", [1, 5, 100])
def test_metrics_of_many_rows_are_packed_on_the_way(monkeypatch, loose: int) -> None:
    monkeypatch.setattr(watching, "_LOOSE", loose)
    call = partial(
        record,
        models.Line(-1.0, 1.0),
        datasets.line(8),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=17,
        metrics={"mse": losses.mse, "size": lambda p, y: len(p)},
    )
    whole, part = call(), call(keep=Keep(tensors=["slope"]))
    for name, values in whole.metrics.items():
        np.testing.assert_allclose(part.metrics[name], values, rtol=1e-6)
        assert part.metrics[name].dtype == values.dtype
