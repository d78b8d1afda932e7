"""Marks on artists: drawn, and left alone since."""

from __future__ import annotations

from typing import Any

FRESH = ()  # as `Artist._stale`: untouched since it was drawn; matplotlib writes True and False


def mark_fresh(artist: Any) -> None:
    """Mark an artist as drawn, so that any later change of `stale`, to True or to False, shows."""
    artist._stale = FRESH


def is_fresh(artist: Any) -> bool:
    """Whether an artist was left alone since it was marked."""
    return artist._stale is FRESH
