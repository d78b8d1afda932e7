"""Boxes of pixels, (x0, y0, x1, y1) with the origin at the top left and the far edges excluded."""

from __future__ import annotations

from collections.abc import Iterable

Box = tuple[int, int, int, int]

EMPTY: Box = (0, 0, 0, 0)
_NEAR_PX = 16
_MOST = 12


def is_empty(box: Box) -> bool:
    """Whether there is no pixel in it."""
    return box[0] >= box[2] or box[1] >= box[3]


def area(box: Box) -> int:
    """Return the number of pixels in it."""
    return (box[2] - box[0]) * (box[3] - box[1])


def meet(a: Box, b: Box) -> bool:
    """Whether the boxes share a pixel; EMPTY shares none with a box inside a frame."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def meets_any(box: Box, others: Iterable[Box]) -> bool:
    """Whether a box shares a pixel with any of the others."""
    x0, y0, x1, y1 = box
    for left, top, right, bottom in others:  # in one function: every command is asked
        if x0 < right and left < x1 and y0 < bottom and top < y1:
            return True
    return False


def common(a: Box, b: Box) -> Box:
    """Return the pixels in both."""
    box = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return EMPTY if is_empty(box) else box


def hull(a: Box, b: Box) -> Box:
    """Return the smallest box that holds both."""
    if is_empty(a):
        return b
    if is_empty(b):
        return a
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def hull_of(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds them all."""
    result = EMPTY
    for box in boxes:
        result = hull(result, box)
    return result


def holds(outer: Box, inner: Box) -> bool:
    """Whether all pixels of `inner` are in `outer`."""
    return is_empty(inner) or (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def disjoint(boxes: Iterable[Box]) -> list[Box]:
    """Return a few boxes that share no pixel and together hold all of `boxes`."""
    result: list[Box] = []
    for box in sorted(boxes, key=area, reverse=True):  # most of them then lie in one before
        if is_empty(box) or any(holds(other, box) for other in result):
            continue
        merged = box
        while True:
            x0, y0, x1, y1 = merged
            grown = (x0 - _NEAR_PX, y0 - _NEAR_PX, x1 + _NEAR_PX, y1 + _NEAR_PX)
            near = [other for other in result if meet(grown, other)]
            if not near:
                break
            result = [other for other in result if not meet(grown, other)]
            merged = hull(merged, hull_of(near))
        result.append(merged)
        if len(result) > _MOST:
            result = [hull_of(result)]
    return result
