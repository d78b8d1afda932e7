"""Texts: large enough, whole, apart from each other and from data, and of good contrast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cbook import is_math_text
from matplotlib.colors import to_rgba
from matplotlib.legend import Legend
from matplotlib.patheffects import AbstractPathEffect, Stroke, withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from render.film.colours import contrast, over
from render.film.legibility.findings import Finding, told_apart
from render.film.legibility.glyphs import formula_glyphs
from render.film.legibility.pictures import FrameView, differ, name_of, name_of_axes

__all__ = ["check_texts", "halo_of"]

_LEAST_SHARE = 0.025
_LEAST_CONTRAST = 4.5
_FEW = 6  # pixels that may touch, or more where letters are large:
_TOUCH_SHARE = 0.04  # of the square on a letter's height
_THIN_HALO_PT = 1.0  # thinner ones set nothing apart
_NEAR_SHARE = 0.1  # of a letter's height
_MOST_HIDDEN = 0.5  # of a text's pixels
_POOR_SHARE = 0.05  # of the pixels behind a text, the poorest that are let pass


def check_texts(view: FrameView) -> Iterator[Finding]:
    """Yield what is wrong with the texts of a frame."""
    boxes = {id(text): view.box(text) for text in view.texts}
    frame = Bbox.from_bounds(0, 0, *view.figure.bbox.size)
    for text in view.texts:
        box = boxes[id(text)]
        clip = text.get_clip_box() if text.get_clip_on() else None
        if clip is not None and not box.overlaps(Bbox(clip.get_points())):
            continue  # not to be seen, as the scene wants
        yield from _small(view, text)
        yield from _cut_off(view, text, box, frame if clip is None else clip)
        alone, ink = view.ink(text, box), _ink(view, box)
        if alone.any() and ink[alone].mean() < _MOST_HIDDEN:
            yield from _hidden(view, text, alone, ink)
            continue
        if ink.any():
            yield from _over_data(view, text, box, ink)
        yield from _faint(view, text, box, ink if ink.any() else np.ones_like(ink))
    yield from _legends_over_data(view)
    yield from _meetings(view, list(boxes.values()))


def _meetings(view: FrameView, boxes: list[Bbox]) -> Iterator[Finding]:
    """What is wrong where a text meets another one, or another panel."""
    for one, other, shared in _shared(boxes, boxes):
        if one < other:
            yield from _overlapping(view, view.texts[one], view.texts[other], shared)
    axes = [axes for axes in view.figure.axes if axes.get_visible()]
    areas = [ax.get_window_extent() for ax in axes]
    for number, place, shared in _shared(boxes, areas):
        yield from _in_the_next_axes(view, view.texts[number], axes[place], shared)


def halo_of(effects: list[AbstractPathEffect] | None) -> Any:
    """Return the colour drawn around an artist by its path effects, or None."""
    for effect in effects or ():
        if isinstance(effect, (withStroke, Stroke)):
            drawn = effect._gc  # type: ignore[attr-defined]
            colour, width = drawn.get("foreground"), drawn.get("linewidth", _THIN_HALO_PT)
            if colour is not None and width >= _THIN_HALO_PT:
                return to_rgba(colour, drawn.get("alpha"))
    return None


def _found(
    view: FrameView, text: Text, rule: str, value: str, bound: str, kind: str, badness: float
) -> Finding:
    return Finding(
        rule=rule,
        frame=view.frame,
        artist=name_of(text),
        value=value,
        bound=bound,
        place=(kind, *view.place(text)),
        badness=badness,
    )


def _small(view: FrameView, text: Text) -> Iterator[Finding]:
    """Letters of at least 2.5% of the picture's height, measured as the font's size.

    Of an upright picture's width: that is what limits letters there. Exponents, indices and
    fractions are letters too: 10 to the -3 read as 10 says something else.
    """
    width, height = view.figure.bbox.size
    side = "width" if width < height else "height"
    side_in = float(min(width, height)) / float(view.figure.dpi)
    size, smallest = float(text.get_fontsize()), _smallest_pt(text)
    share = smallest / 72 / side_in
    if share < _LEAST_SHARE - 1e-6:
        value, least = told_apart(share, _LEAST_SHARE, "%")
        value, least = f"{value} of the {side}", f"at least {least}"
        bound = f"{least}, {_LEAST_SHARE * side_in * 72:.1f} pt here"
        letters = "letters are" if smallest == size else "its smallest letters are"
        yield _found(view, text, letters, value, bound, "small", -share)


def _smallest_pt(text: Text) -> float:
    """Return the size of a text's smallest letters: in a formula, often those of an exponent."""
    sizes = [float(text.get_fontsize())]
    for line in text.get_text().split("\n"):
        if text.get_parse_math() and is_math_text(line):
            glyphs = formula_glyphs(line, text.get_fontproperties())
            sizes += [size for size, letter in glyphs if letter.isalnum()]
    return min(sizes)


def _cut_off(view: FrameView, text: Text, box: Bbox, frame: Any) -> Iterator[Finding]:
    """Nothing beyond the picture's edge, or beyond the axes that clips it."""
    line_px = 1.4 * _letter_px(view, text)
    slack = 0.2 * min(box.height, box.width, line_px)  # above and below the letters of a line
    aside = slack if box.height > box.width else 1.0
    sides = (
        (frame.x0 - box.x0, aside),
        (box.x1 - frame.x1, aside),
        (frame.y0 - box.y0, slack),
        (box.y1 - frame.y1, slack),
    )
    beyond = max((by for by, let_pass in sides if by > let_pass), default=0.0)
    if beyond > 0:
        size, bound = f"{beyond:.0f} px", "move it, or shorten it"
        yield _found(view, text, "is cut off by", size, bound, "cut off", beyond)


def _ink(view: FrameView, box: Bbox) -> npt.NDArray[np.bool_]:
    """Return which pixels of a box any text covers."""
    at = view.pixels(box)
    return differ(view.whole[at], view.without_texts[at])


def _hidden(
    view: FrameView, text: Text, alone: npt.NDArray[np.bool_], ink: npt.NDArray[np.bool_]
) -> Iterator[Finding]:
    """No letters below what is drawn later."""
    hidden = float(1 - ink[alone].mean())
    size, bound = f"{hidden:.0%} of it", "draw it later, or move it"
    yield _found(view, text, "is hidden by what is drawn on it,", size, bound, "hidden", hidden)


def _over_data(
    view: FrameView, text: Text, box: Bbox, ink: npt.NDArray[np.bool_]
) -> Iterator[Finding]:
    """No line, point or arrow behind the letters or between them."""
    at = view.pixels(box)
    data = differ(view.without_texts[at], view.background[at])
    covered = int((data & _reach(view, text, ink)).sum())
    if covered > _may_touch(view, text):
        rule = "is written over data," if text.get_bbox_patch() is None else "hides data,"
        size, bound = f"{covered} px of it", "put it where no data is"
        yield _found(view, text, rule, size, bound, "over data", covered)


def _may_touch(view: FrameView, text: Text) -> float:
    """How many pixels of data, such as the tip of a marker, may reach to a text's edge."""
    return max(_FEW, _TOUCH_SHARE * _letter_px(view, text) ** 2)


def _letter_px(view: FrameView, text: Text) -> float:
    return float(text.get_fontsize()) / 72 * float(view.figure.dpi)


def _legends_over_data(view: FrameView) -> Iterator[Finding]:
    """No line, point or arrow behind a legend, whether its frame hides it or not."""
    legends = [
        legend
        for legend in view.legends
        if legend.get_visible() and any(_touches(view, legend, axes) for axes in view.figure.axes)
    ]
    if not legends:
        return
    with_data, without = view.without_legends(legends)
    for legend in legends:
        at = view.pixels(_legend_box(view, legend))
        covered = int(differ(with_data[at], without[at]).sum())
        if covered > _FEW:
            yield Finding(
                rule="hides data,",
                frame=view.frame,
                artist=_name_of_legend(legend),
                value=f"{covered} px of it",
                bound="put it where no data is, or outside the axes",
                place=("legend", *view.place(legend)),
                badness=covered,
            )


def _touches(view: FrameView, legend: Any, axes: Axes) -> bool:
    return axes.get_visible() and bool(_legend_box(view, legend).overlaps(axes.get_window_extent()))


def _legend_box(view: FrameView, legend: Any) -> Bbox:
    frame = legend.get_frame() if isinstance(legend, Legend) else legend.patch
    return Bbox(frame.get_window_extent().get_points())


def _name_of_legend(legend: Any) -> str:
    kind = "legend" if isinstance(legend, Legend) else "box"
    words = [" ".join(text.get_text().split()) for text in legend.findobj(Text)]
    return f"{kind} {', '.join(filter(None, words))!r}"


def _faint(view: FrameView, text: Text, box: Bbox, ink: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    """A contrast of at least 4.5 to 1 with what is behind the letters."""
    behind = view.without_texts[view.pixels(box)][ink] / 255
    if not behind.size:
        return
    patch = text.get_bbox_patch()
    halo = halo_of(text.get_path_effects())
    if patch is not None:
        behind = over(patch.get_facecolor(), behind)
    if halo is not None:
        behind = over(halo, behind)
    colour = np.array(to_rgba(text.get_color()))
    if text.get_alpha() is not None:
        colour[3] = text.get_alpha()
    if colour[3] == 0:
        return  # not to be seen, as the scene wants
    ratio = float(np.quantile(contrast(over(colour, behind), behind), _POOR_SHARE))
    if ratio < _LEAST_CONTRAST:
        value, least = told_apart(ratio, _LEAST_CONTRAST)
        value, bound = f"{value} to 1", f"at least {least} to 1"
        yield _found(view, text, "has a contrast of", value, bound, "faint text", -ratio)


def _shared(ones: Sequence[Any], others: Sequence[Any]) -> Iterator[tuple[int, int, Bbox]]:
    """Yield which boxes share at least a pixel each way, by their numbers, and what they share."""
    first = np.array([box.extents for box in ones]).reshape(-1, 1, 4)
    second = np.array([box.extents for box in others]).reshape(1, -1, 4)
    low, high = np.maximum(first, second)[..., :2], np.minimum(first, second)[..., 2:]
    for one, other in np.argwhere((high - low >= 1).all(axis=-1)):
        yield int(one), int(other), Bbox([low[one, other], high[one, other]])


def _overlapping(view: FrameView, one: Text, other: Text, shared: Bbox) -> Iterator[Finding]:
    """No letters on other letters."""
    reaches = [_reach(view, text, view.ink(text, shared)) for text in (one, other)]
    both = reaches[0] & reaches[1]
    if both.any():
        wide, high = int(both.any(axis=0).sum()), int(both.any(axis=1).sum())
        yield Finding(
            rule=f"overlaps {name_of(other)} by",
            frame=view.frame,
            artist=name_of(one),
            value=f"{wide} x {high} px",
            bound="set them apart",
            place=("overlap", view.place(one), view.place(other)),
            badness=wide * high,
        )


def _in_the_next_axes(view: FrameView, text: Text, axes: Axes, shared: Bbox) -> Iterator[Finding]:
    """No letters of one panel within another one; axes that lie on each other are one panel."""
    own = view.axes_of(text)
    if own is None or axes.get_window_extent().overlaps(own.get_window_extent()):
        return
    columns = np.flatnonzero(view.ink(text, shared).any(axis=0))
    if columns.size > 1:
        rule = f"runs into {name_of_axes(axes)} by"
        size, bound = f"{columns.size} px", "move it, or shorten it"
        yield _found(view, text, rule, size, bound, "next axes", columns.size)


def _reach(view: FrameView, text: Text, ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the pixels that a text needs for itself, given those of its letters.

    The rectangle around them; of a text that is turned aslant, what is very near to them.
    """
    if text.get_rotation() % 90 != 0:
        return _grown(ink, round(_NEAR_SHARE * _letter_px(view, text)))
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    reach = np.zeros_like(ink)
    if rows.size:
        reach[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return reach


def _grown(ink: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Return which pixels are at most so far, in rows and in columns, from a pixel with ink."""
    wide = np.pad(ink, by)
    for axis in (0, 1):
        shifted = np.lib.stride_tricks.sliding_window_view(wide, 2 * by + 1, axis=axis)
        wide = np.asarray(shifted.any(axis=-1))
    return wide
