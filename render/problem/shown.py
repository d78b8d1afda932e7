"""How an error shows the value that it is about. Imports without torch."""

from __future__ import annotations

__all__ = ["shown"]

_MOST = 120


def shown(value: object) -> str:
    """Return a value as Python writes it, on one line, and cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # whatever a class of a user's raises
        text = f"a {type(value).__name__}"
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
