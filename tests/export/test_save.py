"""Saved films have the frames, size, rate and colours that were asked for."""

import os
from fractions import Fraction

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from render import Film, save
from render.errors import ExportError, InputError, SceneError, UsageError
from render.export.save import exact_rate

SIZE = (320, 180)


def patches(ax):
    """Colour patches, and a bar that moves."""
    ax.set_axis_off()
    ax.set_position((0, 0, 1, 1))
    colors = [["#c8400a", "#0060a8", "#00785a"], ["#ffffff", "#000000", "#808080"]]
    ax.set(xlim=(0, 3), ylim=(0, 3))
    for row, line in enumerate(colors):
        for column, color in enumerate(line):
            ax.axvspan(column, column + 1, row / 3, (row + 1) / 3, color=color, linewidth=0)
    (bar,) = ax.plot([], [], linewidth=4)

    def update(step):
        bar.set_data([0, 0.3 * step], [2.5, 2.5])

    return update


@pytest.fixture(scope="module")
def film():
    return Film([patches], seconds=1, fps=10, size=SIZE, title="")


@pytest.fixture(scope="module")
def exact(film):
    """The film's frames as a full redraw gives them, shape (frames, height, width, 3)."""
    frames = []
    for number in range(film.frames):
        figure = film.figure(number)
        figure.canvas.draw()
        frames.append(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
    return np.stack(frames)


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_h264_has_exact_frames_size_rate_and_colours(film, exact, decode, tmp_path, suffix):
    decoded = decode(save(film, tmp_path / f"film{suffix}")[0])
    assert decoded.frames.shape == (10, 180, 320, 3)
    assert all(word in decoded.stream for word in ("h264", "yuv420p", "bt709"))
    assert decoded.fps == 10
    assert decoded.seconds == pytest.approx(1.0, abs=0.01)
    apart = np.abs(decoded.frames.astype(int) - exact.astype(int))
    for y in (30, 90):
        for x in (53, 160, 266):
            assert apart[:, 179 - y - 10 : 179 - y + 10, x - 20 : x + 20].max() <= 3


def test_several_files_are_written_from_one_drawing_of_each_frame(film, tmp_path, monkeypatch):
    from render.film.drawing import Drawing

    shown = []
    original = Drawing.show
    monkeypatch.setattr(Drawing, "show", lambda self, n: (shown.append(n), original(self, n))[1])
    names = ["a.mp4", "a.gif", "a.png", "a-%03d.png"]
    written = save(film, *[tmp_path / name for name in names])
    assert shown == list(range(10))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(p.name for p in written)
    assert len(written) == 13


def test_relative_paths_are_those_of_the_folder_at_the_start(film, tmp_path, monkeypatch):
    start, later = tmp_path / "start", tmp_path / "later"
    start.mkdir(), later.mkdir()
    monkeypatch.chdir(start)
    names = ["a.mp4", "a.png", "a-%d.png"]
    written = save(film, *names, frames=range(2), progress=lambda done, total: os.chdir(later))
    assert list(later.iterdir()) == []
    assert sorted(start.iterdir()) == sorted(start / path for path in written)
    assert not any(path.is_absolute() for path in written)


def test_stills_have_the_very_pixels(film, exact, tmp_path):
    save(film, tmp_path / "f-%02d.png", tmp_path / "last.png")
    for number in range(10):
        assert np.array_equal(iio.imread(tmp_path / f"f-{number:02d}.png"), exact[number])
    assert np.array_equal(iio.imread(tmp_path / "last.png"), exact[-1])


def test_a_range_of_frames_keeps_their_numbers(film, exact, tmp_path):
    written = save(film, tmp_path / "f-%02d.png", tmp_path / "one.png", frames=range(3, 6))
    assert [path.name for path in written] == ["f-03.png", "f-04.png", "f-05.png", "one.png"]
    assert np.array_equal(iio.imread(tmp_path / "one.png"), exact[5])


def test_a_gif_has_exact_frames_and_delays(film, exact, tmp_path):
    path = film.save(tmp_path / "film.gif")
    with Image.open(path) as gif:
        assert gif.n_frames == 10
        assert gif.info["loop"] == 0
        delays = []
        for number in range(gif.n_frames):
            gif.seek(number)
            delays.append(gif.info["duration"])
            apart = np.asarray(gif.convert("RGB")).astype(int) - exact[number]
            assert np.abs(apart).max() <= 8
    assert delays == [100] * 10


@pytest.mark.parametrize("suffix", [".webm", ".webp", ".apng"])
def test_other_formats_have_exact_frames(film, decode, tmp_path, suffix):
    path = film.save(tmp_path / f"film{suffix}")
    if suffix == ".webm":
        assert len(decode(path).frames) == 10
    else:
        with Image.open(path) as picture:
            assert picture.n_frames == 10


def test_saving_twice_gives_the_same_bytes(film, tmp_path):
    for suffix in (".mp4", ".gif", ".png"):
        first = film.save(tmp_path / f"a{suffix}").read_bytes()
        assert film.save(tmp_path / f"b{suffix}").read_bytes() == first


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (30, Fraction(30)),
        (np.float32(30), Fraction(30)),
        (29.97, Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rates_are_the_fractions_that_were_meant(fps, rate):
    assert exact_rate(fps) == rate


def test_a_rate_that_no_fraction_stands_for_is_refused():
    assert exact_rate(0.001) == Fraction(1, 1000)
    with pytest.raises(InputError, match=r"fps=0\.0004 is slower than 0\.001 frames a second"):
        exact_rate(0.0004)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("film.mp5", UsageError, r"unknown suffix '.mp5' \(did you mean '.mp4'\?\)"),
        ("film", UsageError, "no suffix; a film is written as one of"),
        ("no/such/film.mp4", ExportError, "does not exist; create it first"),
        ("frame-%04d.gif", UsageError, "numbered frames are written as .png"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_drawing(film, tmp_path, name, error, message):
    with pytest.raises(error, match=message):
        save(film, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_film_and_what_is_no_path_are_refused(film, tmp_path):
    with pytest.raises(InputError, match=r"film='film.mp4' is not a render\.Film"):
        save("film.mp4", film)
    with pytest.raises(InputError, match=r"path=\['a.mp4', 'b.gif'\] is not a path, such as"):
        save(film, ["a.mp4", "b.gif"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": "best"}, "quality='best' is not one of draft, full"),
        ({"frames": 4}, "frames=4 is not a range of frames"),
        ({"frames": [1, 2]}, r"frames=\[1, 2\] is not a range of frames, such as range\(0, 60\)"),
    ],
)
def test_options_that_cannot_be_are_refused(film, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        save(film, tmp_path / "film.mp4", **options)
    assert not any(tmp_path.iterdir())


def test_a_folder_is_not_a_file(film, tmp_path):
    (tmp_path / "talk.mp4").mkdir()
    with pytest.raises(ExportError, match="is a folder; name a file in it"):
        save(film, tmp_path / "talk.mp4")


def test_odd_sizes_are_refused_where_colour_is_subsampled(tmp_path):
    film = Film([patches], seconds=0.2, fps=10, size=(321, 181))
    with pytest.raises(UsageError, match=r"321x181 pixels is odd.*use 322x182"):
        save(film, tmp_path / "film.mp4")
    save(film, tmp_path / "film.png")


def test_a_failing_panel_leaves_nothing(tmp_path):
    def fails(ax):
        def update(step):
            if step == 3:
                raise RuntimeError("step 3")

        return update

    film = Film([fails], seconds=0.5, fps=10, size=SIZE)
    names = ["a.mp4", "a.gif", "a-%02d.png"]
    with pytest.raises(SceneError, match=r"panel 0, step 3: test_save.py, line \d+: Runtime"):
        save(film, *[tmp_path / name for name in names])
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_the_film_in_place(film):
    html = film._repr_html_()
    assert html.startswith("<video") and "data:video/mp4;base64,AAAA" in html
