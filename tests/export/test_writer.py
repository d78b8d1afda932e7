"""The matplotlib writer saves any animation with the pixels that savefig gives."""

import io
import subprocess

import imageio.v3 as iio
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import ArtistAnimation, FuncAnimation, writers

from render import MovieWriter
from render.errors import ExportError, InputError, RenderError, UsageError


@pytest.fixture
def animation():
    figure, axes = plt.subplots(figsize=(3, 2), dpi=100)
    (line,) = axes.plot([], [])
    axes.set(xlim=(0, 10), ylim=(0, 10))

    def update(frame):
        line.set_data([0, frame], [0, frame])
        axes.set_title(f"frame {frame}")
        return (line,)

    animation = FuncAnimation(figure, update, frames=8, interval=100)
    yield animation
    animation._draw_was_started = True  # or it warns when a test did not save it
    plt.close(figure)


def savefig(figure, **options):
    """The pixels that matplotlib's own savefig gives."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", **options)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def test_frames_are_those_of_savefig(animation, tmp_path):
    animation.save(tmp_path / "f-%d.png", writer=MovieWriter(fps=10))
    for number in range(8):
        animation._func(number)
        still = iio.imread(tmp_path / f"f-{number}.png", mode="RGBA")
        assert np.array_equal(still.ravel(), savefig(animation._fig, dpi=100))


def test_a_film_has_the_frames_size_and_rate_that_were_asked_for(animation, decode, tmp_path):
    animation.save(tmp_path / "film.mp4", writer=MovieWriter(fps=12.5), dpi=120)
    decoded = decode(tmp_path / "film.mp4")
    assert (decoded.size, decoded.fps, len(decoded.frames)) == ((360, 240), 12.5, 8)


def test_an_odd_size_is_completed(animation, decode, tmp_path):
    animation._fig.set_size_inches(3.01, 2.01)
    animation.save(tmp_path / "film.mp4", writer=MovieWriter(fps=10))
    assert decode(tmp_path / "film.mp4").size == (302, 202)


def test_a_size_that_the_format_cannot_hold_is_named(animation, tmp_path):
    animation._fig.set_size_inches(200, 1)
    with pytest.raises(UsageError, match=r"20000x100 pixels; \.mp4 holds 1 to 16384"):
        animation.save(tmp_path / "film.mp4", writer=MovieWriter(fps=10), dpi=100)
    assert not any(tmp_path.iterdir())


def test_an_artist_animation_is_saved(tmp_path):
    figure, axes = plt.subplots(figsize=(2, 2))
    frames = [axes.plot([0, n], [0, 1]) for n in range(5)]
    ArtistAnimation(figure, frames).save(tmp_path / "film.gif", writer=MovieWriter(fps=10))
    assert len(iio.imread(tmp_path / "film.gif")) == 5
    plt.close(figure)


def test_a_figure_is_as_before_when_the_film_is_saved(animation, tmp_path):
    figure = animation._fig
    before = (figure.dpi, figure.canvas, tuple(figure.get_size_inches()))
    animation.save(tmp_path / "film.mp4", writer=MovieWriter(fps=10), dpi=50)
    assert (figure.dpi, figure.canvas, tuple(figure.get_size_inches())) == before


def test_transparent_frames_keep_their_alpha_where_the_format_does(animation, tmp_path):
    animation.save(
        tmp_path / "f-%d.png", writer=MovieWriter(fps=10), savefig_kwargs={"transparent": True}
    )
    assert iio.imread(tmp_path / "f-0.png").shape[2] == 4
    assert iio.imread(tmp_path / "f-0.png")[0, 0, 3] == 0


def test_options_that_only_savefig_knows_are_drawn_by_it(animation, tmp_path):
    options = {"facecolor": "yellow", "pad_inches": 0}
    animation.save(tmp_path / "f-%d.png", writer=MovieWriter(fps=10), savefig_kwargs=options)
    assert iio.imread(tmp_path / "f-0.png")[0, 0].tolist() == [255, 255, 0]


@pytest.mark.parametrize("option", ["dpi", "bbox_inches", "format"])
def test_options_that_change_the_frame_are_refused(animation, tmp_path, option):
    writer = MovieWriter(fps=10)
    with writer.saving(animation._fig, tmp_path / "film.mp4", 100):
        writer.grab_frame()
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
            writer.grab_frame(**{option: 1})


def test_a_figure_that_changes_its_size_gets_it_back(animation, tmp_path):
    figure = animation._fig

    def grow(frame):
        figure.set_size_inches(3 + frame, 2)
        figure.axes[0].set_title(f"frame {frame}")

    grower = FuncAnimation(figure, grow, frames=3)
    grower.save(tmp_path / "f-%d.png", writer=MovieWriter(fps=10))
    assert figure.get_size_inches().tolist() == [3, 2]
    for frame in range(3):
        figure.axes[0].set_title(f"frame {frame}")
        saved = iio.imread(tmp_path / f"f-{frame}.png", mode="RGBA")
        assert np.array_equal(saved.ravel(), savefig(figure))


@pytest.mark.parametrize("start", [0, 2])
def test_a_style_that_crops_figures_does_not_crop_frames(start, decode, tmp_path):
    figure, axes = plt.subplots(figsize=(3, 2), dpi=100)
    writer = MovieWriter(fps=10)
    with plt.rc_context():
        writer.setup(figure, tmp_path / "film.mp4")
        for number in range(4):
            if number == start:
                plt.rcParams["savefig.bbox"] = "tight"
            axes.set_title(f"{number}")
            writer.grab_frame()
        writer.finish()
        assert plt.rcParams["savefig.bbox"] == "tight"
    plt.close(figure)
    decoded = decode(tmp_path / "film.mp4")
    assert (decoded.size, len(decoded.frames)) == ((300, 200), 4)


def test_a_failing_animation_leaves_no_file(animation, tmp_path):
    def fail(frame):
        if frame == 2:
            raise ValueError("two")

    failing = FuncAnimation(animation._fig, fail, frames=3)
    with pytest.raises(ValueError, match="two"):
        failing.save(tmp_path / "film.mp4", writer=MovieWriter(fps=10))
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_is_a_called_process_error_too(animation, tmp_path):
    writer = MovieWriter(fps=10, extra_args=["-no_such_option", "1"])
    with pytest.raises(subprocess.CalledProcessError) as caught:
        animation.save(tmp_path / "film.mp4", writer=writer)
    assert isinstance(caught.value, RenderError)
    assert "no_such_option" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_codec_bitrate_arguments_and_metadata_reach_ffmpeg(animation, decode, tmp_path):
    writer = MovieWriter(
        fps=10,
        codec="mpeg4",
        bitrate=900,
        extra_args=["-vf", "scale=150:100"],
        metadata={"title": "My talk"},
    )
    animation.save(tmp_path / "film.mp4", writer=writer)
    decoded = decode(tmp_path / "film.mp4")
    assert "mpeg4" in decoded.stream
    assert decoded.size == (150, 100)
    assert b"My talk" in (tmp_path / "film.mp4").read_bytes()


def test_it_can_be_registered_and_is_made_without_arguments(animation, tmp_path):
    writers.register("render-test")(MovieWriter)
    assert "render-test" in writers.list()
    animation.save(tmp_path / "film.mp4", writer="render-test", fps=10)
    assert MovieWriter().fps == 5


@pytest.mark.parametrize("fps", [0, 0.0004, 1001, float("nan"), "5", None])
def test_a_rate_that_cannot_be_is_refused(fps):
    with pytest.raises(
        InputError, match=r"fps=.* is not a rate from 0\.001 to 1000 frames a second"
    ):
        MovieWriter(fps=fps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra_args": "-crf 18"}, r"'-crf 18' is one string; .* such as \['-crf', '18'\]"),
        ({"bitrate": "1M"}, "bitrate='1M' is not a number of kbit/s"),
        ({"codec": 264}, "codec=264 is not a codec of ffmpeg's"),
        ({"metadata": "My talk"}, "metadata='My talk' is not a mapping such as {'title'"),
    ],
)
def test_options_of_another_kind_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        MovieWriter(**options)


def test_a_writer_writes_one_file_at_a_time(animation, decode, tmp_path):
    writer, figure = MovieWriter(fps=10), animation._fig
    with writer.saving(figure, tmp_path / "film.mp4", dpi=100):
        writer.grab_frame()
        with pytest.raises(
            ExportError, match=r"other\.mp4: this writer is still writing .*film\.mp4"
        ):
            animation.save(tmp_path / "other.mp4", writer=writer)
        writer.grab_frame()
    assert len(decode(tmp_path / "film.mp4").frames) == 2
    animation.save(tmp_path / "other.mp4", writer=writer)
    assert len(decode(tmp_path / "other.mp4").frames) == 8


@pytest.mark.parametrize("before", [False, True])
def test_a_frame_needs_an_open_file(animation, tmp_path, before):
    writer = MovieWriter(fps=10)
    if before:
        animation.save(tmp_path / "film.mp4", writer=writer)
    with pytest.raises(ExportError, match="grab frames between setup and finish"):
        writer.grab_frame()


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_figure_may_change_its_colour(decode, tmp_path, suffix):
    figure = plt.figure(figsize=(1, 1))
    colours = [(255, 0, 0), (0, 200, 0), (90, 90, 90)]

    def paint(number):
        figure.set_facecolor(np.divide(colours[number], 255))

    path = tmp_path / f"film{suffix}"
    FuncAnimation(figure, paint, frames=3).save(path, writer=MovieWriter(fps=10))
    assert np.abs(decode(path).frames[:, 50, 50].astype(int) - colours).max() <= 3
    plt.close(figure)


def test_axes_keep_their_colour_where_the_format_has_no_alpha(animation, decode, tmp_path):
    animation._fig.axes[0].set_facecolor("black")
    plt.rcParams["savefig.transparent"] = True
    animation.save(
        tmp_path / "film.mp4", writer=MovieWriter(), savefig_kwargs={"transparent": True}
    )
    assert decode(tmp_path / "film.mp4").frames[0, 60, 200].max() <= 3


def test_a_rate_that_the_format_cannot_hold_is_refused(animation, tmp_path):
    with pytest.raises(UsageError, match=r"film\.gif: fps=0\.001 is too slow"):
        animation.save(tmp_path / "film.gif", writer=MovieWriter(fps=0.001))
    assert list(tmp_path.iterdir()) == []


def test_a_given_ffmpeg_path_is_honoured(animation):
    plt.rcParams["animation.ffmpeg_path"] = "no/such/ffmpeg"
    assert not MovieWriter.isAvailable()
    with pytest.raises(ExportError, match="no/such/ffmpeg"):
        MovieWriter().setup(animation._fig, "film.mp4")
