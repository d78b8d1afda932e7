"""How the layered canvas is used: settings, inside `Animation.save`, what it leaves behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import AbstractMovieWriter, ArtistAnimation, FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.spines import Spine
from matplotlib.text import Text

from render.film.canvas import LayeredCanvas, frames, own_pixels
from render.film.canvas.structure import Structure


def saved(figure: Figure, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", **settings)
    return buffer.getvalue()


def wave() -> tuple[Figure, Callable[[int], Any]]:
    figure, (left, right) = plt.subplots(1, 2)
    left.scatter([0, 1], [0, 1])
    (line,) = left.plot([0, 1], [0, 1])
    right.set_title("still")

    def update(k: int) -> tuple[Line2D]:
        line.set_ydata([0, np.sin(k)])
        return (line,)

    return figure, update


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dpi": 50},
        {"dpi": 133.7},
        {"facecolor": "y", "edgecolor": "r"},
        {"facecolor": (1, 0, 0, 0.5)},
        {"transparent": True},
        {"transparent": True, "facecolor": "c", "dpi": 70},
    ],
    ids=str,
)
def test_settings_are_those_of_savefig(settings: dict[str, Any]) -> None:
    figure, update = wave()
    expected = []
    for k in range(6):
        update(k)
        expected.append(saved(figure, **settings))
    figure, update = wave()
    own_dpi = figure.dpi
    with LayeredCanvas(figure, **settings) as canvas:
        for k in range(6):
            update(k)
            assert canvas.draw().tobytes() == expected[k]
            assert figure.dpi == own_dpi
        assert len(canvas.damage) == 1
        assert canvas.damage[0][2] < canvas.draw().shape[1] / 2


def test_the_picture_is_contiguous_rgba_of_the_size_of_the_figure() -> None:
    figure, _ = wave()
    with LayeredCanvas(figure, dpi=100) as canvas:
        picture = canvas.draw()
    assert picture.shape == (180, 240, 4)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


def test_damage_is_the_frame_at_first_and_nothing_for_no_change() -> None:
    figure, update = wave()
    with LayeredCanvas(figure, dpi=100) as canvas:
        canvas.draw()
        assert canvas.damage == ((0, 0, 240, 180),)
        for _ in range(4):
            canvas.draw()
            assert canvas.damage == ()
        update(3)
        canvas.draw()
        (box,) = canvas.damage
        assert box[2] - box[0] < 120


def test_damage_of_two_panels_is_two_rectangles() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    dots = [axes.plot([0.5], [0.5], "o")[0] for axes in (left, right)]
    plt.setp([left, right], xlim=(0, 1))
    with LayeredCanvas(figure) as canvas:
        for k in range(4):
            for dot in dots:
                dot.set_xdata([0.4 + k / 50])
            canvas.draw()
        assert len(canvas.damage) == 2


class _Frames(AbstractMovieWriter):
    """Collects frames in memory, drawn by a layered canvas or by savefig."""

    def __init__(self, layered: bool) -> None:
        super().__init__(fps=5)
        self.layered = layered
        self.frames: list[bytes] = []

    def setup(self, fig: Figure, outfile: str, dpi: float | None = None) -> None:
        super().setup(fig, outfile, dpi)  # type: ignore[arg-type]

    @contextmanager
    def saving(self, fig: Figure, outfile: str, dpi: float | None, *_: Any, **__: Any) -> Any:
        self.setup(fig, outfile, dpi)
        if self.layered:
            with LayeredCanvas(fig, dpi=dpi) as self.canvas:
                yield self
        else:
            yield self

    def grab_frame(self, **settings: Any) -> None:
        if self.layered:
            self.frames.append(self.canvas.draw().tobytes())
        else:
            self.frames.append(saved(self.fig, dpi=self.dpi, **settings))

    def finish(self) -> None:
        pass


def _returns_nothing() -> FuncAnimation:
    figure, update = wave()
    return FuncAnimation(figure, lambda k: [] if update(k) is None else None, frames=6)


def _blits() -> FuncAnimation:
    figure, update = wave()
    return FuncAnimation(figure, update, frames=6, blit=True, init_func=lambda: update(0))


def _artists() -> ArtistAnimation:
    figure, axes = plt.subplots()
    frames = [[axes.imshow(np.eye(3) * i), axes.text(0, i / 5, str(i))] for i in range(5)]
    return ArtistAnimation(figure, frames)


def _laid_out() -> FuncAnimation:
    figure, axes = plt.subplots(layout="constrained")
    return FuncAnimation(figure, lambda k: axes.set_ylabel("long\n" * (k % 3)), frames=6)


def _draws_and_measures() -> FuncAnimation:
    figure, axes = plt.subplots()
    (line,) = axes.plot([0, 1])
    text = axes.text(0.1, 0.1, "")

    def update(k: int) -> None:
        line.set_ydata([0, k])
        if k % 2:
            figure.canvas.draw()
        plt.draw()
        extent = axes.get_tightbbox(figure.canvas.get_renderer())
        text.set_text(f"{extent.width:.3f} {figure.canvas.get_width_height()}")

    return FuncAnimation(figure, update, frames=6)


def _reads_the_last_picture() -> FuncAnimation:
    figure, axes = plt.subplots()
    (line,) = axes.plot([0, 1])
    text = axes.text(0.1, 0.1, "")

    def update(k: int) -> None:
        line.set_ydata([0, k])
        sources = [figure.canvas, figure.canvas.renderer]
        text.set_text(str(np.asarray(sources[k % 2].buffer_rgba()).astype(int).sum()))

    return FuncAnimation(figure, update, frames=6, init_func=lambda: [])


@pytest.mark.parametrize("dpi", [None, 70])
@pytest.mark.parametrize(
    "animate",
    [
        _returns_nothing,
        _blits,
        _artists,
        _laid_out,
        _draws_and_measures,
        _reads_the_last_picture,
    ],
)
@pytest.mark.filterwarnings("ignore:.*unbounded:UserWarning")
def test_a_saved_animation_has_the_frames_of_matplotlib(
    animate: Callable[[], FuncAnimation], dpi: float | None
) -> None:
    frames = []
    for layered in (False, True):
        writer = _Frames(layered)
        animation = animate()
        animation._fig.canvas.draw()  # type: ignore[attr-defined]
        animation.save("-", writer=writer, dpi=dpi)
        frames.append(writer.frames)
    assert len(frames[0]) >= 5
    assert frames[0] == frames[1]


def test_idle_draws_draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, update = wave()
    with LayeredCanvas(figure) as canvas:
        for k in range(4):
            update(k)
            canvas.draw()
        monkeypatch.setattr(
            own_pixels, "draw_nothing", lambda *_: pytest.fail("all of the figure was drawn")
        )
        for k in range(4):
            update(k)
            figure.canvas.draw_idle()
            canvas.draw()


def test_a_million_static_points_are_drawn_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the picture, and once more to see that drawing has settled."""
    figure, axes = plt.subplots()
    axes.scatter(*np.random.default_rng(0).random((2, 1_000_000)), s=1)
    (line,) = axes.plot([0, 1])
    calls = []
    prepare = PathCollection._prepare_points

    def count(self: PathCollection) -> Any:  # each drawing begins with it
        calls.append(1)
        return prepare(self)

    monkeypatch.setattr(PathCollection, "_prepare_points", count)
    with LayeredCanvas(figure) as canvas:
        for k in range(10):
            line.set_ydata([0, k / 10])
            canvas.draw()
    assert 1 <= len(calls) <= 2


@pytest.mark.parametrize(
    "again",
    [
        lambda axes: None,
        lambda axes: axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim()),
        lambda axes: axes.set(title="title", xlabel="x", ylabel="y"),
        lambda axes: axes.grid(False),
        lambda axes: axes.tick_params(labelsize="medium"),
    ],
)
def test_only_what_changed_is_drawn(
    again: Callable[[Axes], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set, in every frame, to what it is has not changed."""
    figure, update = wave()
    drawn: list[Artist] = []
    with LayeredCanvas(figure) as canvas:
        for k in range(5):
            update(k)
            again(figure.axes[0])
            canvas.draw()
        for kind in {type(artist) for artist in figure.findobj()} - {Axes, Figure}:
            draw = kind.draw
            monkeypatch.setattr(
                kind, "draw", lambda self, *args, draw=draw: drawn.append(self) or draw(self, *args)
            )
        update(7)
        again(figure.axes[0])
        canvas.draw()
    titles = [each for each in drawn if isinstance(each, Text)]
    assert len(titles) in (0, 3), "titles that are set are placed together"
    assert [each for each in drawn if each not in titles] == [figure.axes[0].lines[0]]


def test_a_title_that_counts_does_not_draw_its_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    figure, _ = wave()
    axes = figure.axes[0]
    drawn: list[Artist] = []
    with LayeredCanvas(figure) as canvas:
        for k in range(5):
            axes.set_title(f"step {k}")
            canvas.draw()
        monkeypatch.setattr(Spine, "draw", lambda self, *args: drawn.append(self))
        for k in range(5, 15):
            axes.set_title(f"step {k}")
            canvas.draw()
    assert not drawn


@pytest.mark.parametrize("make", [FigureCanvasAgg, FigureCanvasBase])
def test_closing_restores_the_figure(make: Callable[[Figure], FigureCanvasBase]) -> None:
    figure = Figure()
    own = make(figure)
    own_dpi = figure.dpi
    figure.subplots().plot([0, 1])
    saved(figure)
    before = dict(vars(own))
    with LayeredCanvas(figure, dpi=200) as canvas:
        canvas.draw()
        canvas.draw()
        figure.canvas.draw_idle()
        assert figure.dpi == own_dpi
    canvas.close()
    assert figure.canvas is own
    assert vars(own).keys() - before.keys() <= {"renderer", "_lastKey"}
    assert {artist.stale for artist in figure.findobj()} <= {True, False}
    assert figure.dpi == own_dpi


def test_closing_survives_limits_that_cannot_be_drawn() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.xaxis_date()
    with LayeredCanvas(figure) as canvas:
        canvas.draw()
        axes.set_xlim(1e8, 2e8)  # beyond the year 9999: a locator raises
    with pytest.raises(ValueError, match="year"):
        figure.findobj()


def test_other_savings_go_on_while_it_is_open() -> None:
    figure, update = wave()
    with LayeredCanvas(figure) as canvas:
        for k in range(5):
            update(k)
            assert saved(figure) == canvas.draw().tobytes() == saved(figure)


def test_threads_take_turns_and_leave_matplotlib_as_it_was() -> None:
    class Drawn(Artist):
        def __init__(self, draw: Callable[[], None]) -> None:
            super().__init__()
            self._draw = draw

        def draw(self, renderer: Any) -> None:
            self._draw()

    met, over = Event(), Event()
    met_early = []

    def begin_other() -> None:
        if not thread.is_alive():
            thread.start()
            met_early.append(met.wait(0.1))

    def wait_for_first() -> None:
        met.set()
        over.wait(1)

    (first, _), (other, _) = wave(), wave()
    first.add_artist(Drawn(begin_other))
    other.add_artist(Drawn(wait_for_first))
    thread = Thread(target=LayeredCanvas(other).draw)
    function = matplotlib.image._draw_list_compositing_images
    LayeredCanvas(first).draw()
    over.set()
    thread.join()
    assert met_early == [False] and met.is_set()
    assert matplotlib.image._draw_list_compositing_images is function


def test_a_frame_that_fails_leaves_the_next_one_right() -> None:
    class Picky(Artist):
        fails = False

        def draw(self, renderer: Any) -> None:
            if self.fails:
                raise ValueError("not now")

    figure, update = wave()
    picky = Picky()
    picky.set_zorder(9)
    figure.axes[0].add_artist(picky)
    with LayeredCanvas(figure) as canvas:
        for k in range(6):
            update(k)
            picky.fails = k == 3
            if picky.fails:
                with pytest.raises(ValueError, match="not now"):
                    canvas.draw()
            else:
                assert canvas.draw().tobytes() == saved(figure)


def test_callbacks_on_drawing_are_called_every_frame() -> None:
    figure, update = wave()
    seen = []
    figure.canvas.mpl_connect("draw_event", seen.append)
    with LayeredCanvas(figure) as canvas:
        for k in range(5):
            update(k)
            canvas.draw()
    assert len(seen) == 5


def limits_of_nested_axes(axes: Any, k: int) -> None:
    axes.inset_axes([0.5, 0.5, 0.4, 0.4]) if k == 0 else axes.set_xlim(0, 1 + k // 2)


def data_of_axes_drawn_as_one(axes: Any, k: int) -> None:
    axes.set_rasterization_zorder(0) if k == 0 else axes.collections[0].set_offsets([(0, 1)])


@pytest.mark.parametrize("change", [limits_of_nested_axes, data_of_axes_drawn_as_one])
def test_what_is_watched_in_vain_is_watched_seldom(
    change: Callable[[Axes, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To begin takes as long as a drawing, and saves none if all is drawn for the next frame."""
    figure, _ = wave()
    begun: list[Structure] = []

    def begin(figure: Figure) -> Structure:
        begun.append(Structure(figure))
        return begun[-1]

    monkeypatch.setattr(frames, "Structure", begin)
    with LayeredCanvas(figure) as canvas:
        for k in range(40):
            change(figure.axes[0], k)
            canvas.draw()
    assert len(begun) <= 7
