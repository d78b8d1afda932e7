"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that cannot be read well: which rule, frame and artist, the value, the bound."""

    rule: str
    frame: int
    artist: str
    value: str
    bound: str

    def __str__(self) -> str:
        return f"frame {self.frame}: {self.artist}: {self.rule} {self.value}; {self.bound}"
