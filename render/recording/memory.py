"""How much memory a recording takes, and whether there is that much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from render.errors import RecordingError
from render.recording.keep import Keep, kept_layout
from render.recording.problem import layout_of

__all__ = [
    "PIECE_NUMBERS",
    "WINDOW_BYTES",
    "check",
    "free_bytes",
    "loop_bytes",
    "recording_bytes",
]

WINDOW_BYTES = {"cpu": 8 * 2**20, "cuda": 256 * 2**20}
"""What the last rows' parameters and gradients take at most, unless one row takes more."""


PIECE_NUMBERS = 2**17
"""Samples of batches that are drawn at once, unless an epoch has more."""


def recording_bytes(
    model: nn.Module, steps: int, keep: Keep, batch_size: int | None, n: int, metrics: int = 0
) -> int:
    """Return the bytes that a run's arrays take, with the buffers of the loop that fills them.

    Rows x (kept columns + loss, rate, norm + batch + metrics), twice the parameters and gradients
    of the last rows, and the batches that are drawn at once, of n samples an epoch. What training
    moves of the model's own buffers is not known before: see `Buffers.taken`.
    """
    sizes = {name: p.numel() * p.element_size() for name, p in model.named_parameters()}
    columns = kept_layout(keep, layout_of(model))
    width = sum(sizes.values())
    rows = steps // keep.every + 1
    projected = keep.directions is not None
    kept = 8 * (columns[0][1][0] + 1) if projected else sum(sizes[name] for name, _ in columns)
    window = loop_bytes(model, steps, keep)
    final = 0 if keep.whole else width
    batches = 0
    if batch_size is not None:
        epoch = -(-n // batch_size) * batch_size
        drawn = min(max(PIECE_NUMBERS, epoch) + epoch, (steps + 1) * batch_size + epoch)
        batches = 4 * rows * batch_size + 17 * drawn  # two pieces at a time
    return rows * (kept + 32 + 8 * metrics) + batches + window + final


_LESS = "fewer steps, a smaller model, or keep less of it, such as keep=Keep(every=10)"


def check(needed: int, what: str, way: str = _LESS) -> None:
    """Raise RecordingError, before anything starts, where `needed` bytes are not free."""
    free = free_bytes() if needed else None
    if free is not None and needed > free:
        raise RecordingError(
            f"{what} take {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free; take {way}"
        )


def loop_bytes(model: nn.Module, steps: int, keep: Keep) -> int:
    """Return the bytes of the last rows' parameters and gradients, free again after the run."""
    width = sum(p.numel() * p.element_size() for p in model.parameters())
    rows = steps // keep.every + 1
    return 2 * max(2 * width, min(rows * 2 * width, WINDOW_BYTES["cpu"]))


def free_bytes() -> int | None:
    """Return the memory that is available, or None where the system does not say.

    A container has what its control groups leave, where that is less.
    """
    return min([*_left_by_the_machine(), *_left_by_groups()], default=None)


_PROCESSES, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def _left_by_the_machine() -> Iterator[int]:
    try:
        lines = (_PROCESSES / "meminfo").read_text().splitlines()
        yield next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError, IndexError):
        return  # not Linux: the allocation itself will tell


def _left_by_groups() -> Iterator[int]:
    """Yield what each control group of the process leaves, from its own up to all processes'.

    Linux, Documentation/admin-guide/cgroup-v2.rst, and cgroup-v1/memory.rst.
    """
    try:
        lines = (_PROCESSES / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, names = _GROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = _GROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inner = root / path.lstrip("/")
        for group in (inner, *inner.parents):
            if group.is_relative_to(root):
                yield from _left_by(group, *names)


def _left_by(group: Path, limit: str, used: str, given_back: str) -> Iterator[int]:
    """Yield limit - used + what files take that are not in use: it is given back when needed."""
    try:
        most, taken = (int((group / name).read_text()) for name in (limit, used))
        told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        yield max(most - taken + int(told.get(given_back, 0)), 0)
    except (OSError, ValueError):  # no such group seen from here, or its limit is "max"
        return
