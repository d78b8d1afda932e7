"""What a check reports: each thing that cannot be read well once, at its worst."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Finding", "Findings", "told_apart"]

_MOST_OF_A_KIND = 5
_MOST_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that cannot be read well: which rule, frame and artist, the value, the bound.

    place: its kind, and where in the figure it stands, by which it is found again in other frames
    when its words are others. badness: the greater, the worse, among those of one kind.
    seen_in: in how many of which frames it was found. more: how many of its kind are left out.
    """

    rule: str
    frame: int
    artist: str
    value: str
    bound: str
    place: tuple[object, ...] = field(repr=False, compare=False)
    badness: float = field(repr=False, compare=False)
    seen_in: str = ""
    more: int = 0

    def __str__(self) -> str:
        worst = f" (the worst of {self.seen_in})" if self.seen_in else ""
        more = f"; and {self.more} more like this" if self.more else ""
        return (
            f"frame {self.frame}: {self.artist}: {self.rule} {self.value}; {self.bound}"
            f"{worst}{more}"
        )


class Findings:
    """Gathers findings from frame to frame, and keeps the worst of each."""

    def __init__(self) -> None:
        self._worst: dict[tuple[object, ...], Finding] = {}
        self._frames: dict[tuple[object, ...], set[int]] = {}

    def take(self, findings: Iterable[Finding], looked_at: str) -> None:
        """Take what was found in a frame, one of those `looked_at`, such as "16 stills"."""
        for finding in findings:
            frames = self._frames.setdefault(finding.place, set())
            frames.add(finding.frame)
            worst = self._worst.get(finding.place)
            if worst is None or finding.badness > worst.badness:
                worst = finding
            seen_in = f"{len(frames)} of {looked_at}" if len(frames) > 1 else ""
            self._worst[finding.place] = dataclasses.replace(worst, seen_in=seen_in)

    def worst(self) -> list[Finding]:
        """Return the worst few of each kind, the worst first; the last tells how many more."""
        kinds: dict[object, list[Finding]] = {}
        for finding in self._worst.values():
            kinds.setdefault(finding.place[0], []).append(finding)
        shown = []
        for found in kinds.values():
            found.sort(key=lambda finding: -finding.badness)
            more = len(found[_MOST_OF_A_KIND:])
            *first, last = found[:_MOST_OF_A_KIND]
            shown += [*first, dataclasses.replace(last, more=more)]
        return shown


def told_apart(value: float, bound: float, form: str = "f", digits: int = 1) -> tuple[str, str]:
    """Return a value and its bound as text, with as many digits as it takes to tell them apart.

    form: "f" for a number, "%" for a share. digits: behind the point, at least.
    """
    texts = f"{value:.{digits}{form}}", f"{bound:.{digits}{form}}"
    if texts[0] == texts[1] and digits < _MOST_DIGITS:
        return told_apart(value, bound, form, digits + 1)
    return texts
