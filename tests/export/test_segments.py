"""Films drawn in segments by several processes are the films that one process writes."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from render import Film, save
from render.errors import ExportError, InputError, MissingExtraError, SceneError, UsageError
from render.export.formats import Stream
from render.export.pieces import Piece, pickled
from render.export.segments import _assemble, _Kept, _stills, save_in_segments, split
from render.export.sharing import Crew


def ball(ax):
    """A ball that moves, on limits that move too, now and then."""
    ax.set(xlim=(0, 400), ylim=(-1.5, 1.5), xticks=[0, 200], yticks=[])
    (dot,) = ax.plot([], [], "o", markersize=20)

    def update(step):
        ax.set_xlim(-(step // 100), 400 + step // 100)
        dot.set_data([step], [np.sin(step / 9)])
        ax.set_title(f"step {step // 10}0")

    return update


@pytest.fixture(scope="module")
def film():
    return Film([ball], seconds=31, fps=10, size=(160, 90), title="")


@pytest.fixture(scope="module")
def alone(film, tmp_path_factory):
    """What one process writes."""
    folder = tmp_path_factory.mktemp("alone")
    save(film, *[folder / name for name in NAMES])
    return folder


NAMES = ["film.mp4", "film.mkv", "film.gif", "film.apng", "last.png"]


def same_frames(decode, ours, theirs):
    one, other = decode(ours), decode(theirs)
    assert (one.size, one.fps, one.seconds) == (other.size, other.fps, other.seconds)
    return np.array_equal(one.frames, other.frames)


def check(folder, alone, decode):
    """Compare every file with what one process wrote."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in alone.iterdir()
    )
    for suffix in (".mp4", ".mkv", ".gif"):
        assert same_frames(decode, folder / f"film{suffix}", alone / f"film{suffix}")
    for stills in ("film.apng", "last.png"):
        one, other = (iio.imread(place / stills, index=...) for place in (folder, alone))
        assert np.array_equal(one, other)


@pytest.fixture(scope="module")
def shared(film, tmp_path_factory):
    """What two processes write."""
    folder = tmp_path_factory.mktemp("shared")
    written = save(film, *[folder / name for name in NAMES], jobs=2)
    assert len(written) == len(NAMES)
    return folder


def test_two_processes_write_the_very_frames_of_one(shared, alone, decode):
    check(shared, alone, decode)


def test_timestamps_run_on_across_segments(shared):
    times = packet_times(shared / "film.mp4")
    assert times == pytest.approx(np.arange(310) / 10, abs=1e-3)


def packet_times(path):
    """The presentation time of each frame, in seconds."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-vf", "showinfo"]
    told = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True).stderr
    return [
        float(line.split("pts_time:")[1].split()[0])
        for line in told.splitlines()
        if "pts_time:" in line
    ]


@pytest.mark.parametrize(
    ("frames", "parts", "unit", "lengths"),
    [
        (range(400), 2, 150, [150, 250]),
        (range(400), 9, 150, [150, 150, 100]),
        (range(100), 4, 150, [100]),
        (range(5, 65), 4, 1, [15, 15, 15, 15]),
    ],
)
def test_segments_are_contiguous_and_hold_whole_units(frames, parts, unit, lengths):
    pieces = split(frames, parts, unit)
    assert [number for piece in pieces for number in piece] == list(frames)
    assert list(map(len, pieces)) == lengths


def test_frames_may_be_skipped_and_run_backwards(tmp_path, decode):
    def panel(ax):
        ax.set_axis_off()
        (dot,) = ax.plot([0], [0], "o")
        return lambda step: dot.set_markersize(step)

    film, frames = Film([panel], seconds=3, fps=10, size=(160, 90), title=""), range(29, 3, -5)
    stream = Stream(width=160, height=90, fps=Fraction(10))
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    for folder in (shared, alone):
        folder.mkdir()
    names = ["film.mp4", "film.gif", "last.png", "f-%02d.png"]
    save(film, *[alone / name for name in names], frames=frames)
    crew = Crew(open=lambda scratch: ThreadPoolExecutor(1), at_once=1)
    targets = [shared / name for name in names]
    save_in_segments(pickled(film), targets, stream, frames, 3, crew, lambda *told: None)
    assert same_frames(decode, shared / "film.mp4", alone / "film.mp4")
    pictures = sorted(path.name for path in alone.iterdir() if path.suffix != ".mp4")
    assert pictures == ["f-04.png", *(f"f-{n:02d}.png" for n in range(9, 30, 5)), *names[1:3]]
    for name in pictures:
        assert (shared / name).read_bytes() == (alone / name).read_bytes()


def test_a_single_still_is_the_last_of_the_frames():
    frames = range(29, 3, -5)
    parts = split(frames, 2, 1)
    assert [list(_stills(part, frames, [Path("last.png")])) for part in parts] == [[], [4]]
    assert [list(_stills(part, frames, [])) for part in parts] == [[], []]
    assert [_stills(part, frames, [Path("film.gif"), Path("a.png")]) for part in parts] == parts


@pytest.fixture
def full(monkeypatch):
    """No disk has room."""

    def write_bytes(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def test_a_folder_without_room_for_pieces_is_named(tmp_path, full):
    told = f"^{tmp_path}: a film's frames could not be kept here: No space left .* TMPDIR$"
    with pytest.raises(ExportError, match=told):
        _Kept(tmp_path / "scratch").keep(0, Piece(films={".mp4": b"film"}, stills={}))


@pytest.mark.parametrize(("name", "told"), [("last.png", "last"), ("f-%02d.png", "f-03")])
def test_a_still_that_the_disk_does_not_hold_is_named(tmp_path, full, name, told):
    (tmp_path / "3.png").touch()
    stream = Stream(width=160, height=90, fps=Fraction(10))
    with pytest.raises(
        ExportError, match=rf"{told}\.png: could not be written: No space left.* make room"
    ):
        _assemble(tmp_path / name, stream, lambda frame: tmp_path / f"{frame}.png", range(3, 4))
    assert [path.name for path in tmp_path.iterdir()] == ["3.png"]


def dies_once(marker):
    """A panel whose process is killed the first time that it draws step 200."""

    def panel(ax):
        update = ball(ax)

        def moves(step):
            if step == 200 and not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            update(step)

        return moves

    return panel


def test_the_segment_of_a_worker_that_dies_is_drawn_again(film, alone, decode, tmp_path):
    import dataclasses

    mortal = dataclasses.replace(film, panels=[dies_once(str(tmp_path / "died"))])
    out = tmp_path / "out"
    out.mkdir()
    save(mortal, out / "film.mp4", jobs=2)
    assert (tmp_path / "died").exists()
    assert same_frames(decode, out / "film.mp4", alone / "film.mp4")
    assert [path.name for path in out.iterdir()] == ["film.mp4"]


@pytest.fixture
def two_processes(monkeypatch):
    """What `jobs=None` finds fastest where drawing dominates: this process, and another."""
    monkeypatch.setattr("render.export.save.fastest_jobs", lambda *_: 2)


def test_this_process_draws_beside_others(film, alone, decode, tmp_path, two_processes):
    done = []
    save(film, tmp_path / "film.mp4", jobs=None, progress=lambda *told: done.append(told))
    assert same_frames(decode, tmp_path / "film.mp4", alone / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert done == sorted(done) and done[-1] == (310, 310)
    steps = np.diff([frames for frames, total in done])
    assert (steps == 1).sum() >= 100, "this process tells of each of its frames"
    assert steps.max() >= 100, "another drew a segment"


@pytest.fixture
def locked(film):
    """A film that cannot be sent to another process."""
    import dataclasses

    lock = threading.Lock()

    def panel(ax):
        update = ball(ax)

        def moves(step):
            with lock:
                update(step)

        return moves

    return dataclasses.replace(film, panels=[panel], seconds=1)


def test_a_film_that_cannot_be_sent_is_drawn_by_this_process(locked, tmp_path, two_processes):
    written = save(locked, tmp_path / "film.mp4", jobs=None)
    assert list(tmp_path.iterdir()) == written


def test_a_film_that_cannot_be_sent_is_an_error_where_processes_were_asked_for(locked, tmp_path):
    with pytest.raises(InputError, match=r"panel 0 cannot be sent to another process.*jobs=1"):
        save(locked, tmp_path / "film.mp4", jobs=2)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_beside_this_process_is_replaced(
    film, alone, decode, tmp_path, two_processes
):
    import dataclasses

    marker, here = tmp_path / "died", os.getpid()

    def panel(ax):
        update = ball(ax)

        def moves(step):
            if os.getpid() != here and not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            update(step)

        return moves

    save(dataclasses.replace(film, panels=[panel]), tmp_path / "film.mp4", jobs=None)
    assert marker.exists()
    assert same_frames(decode, tmp_path / "film.mp4", alone / "film.mp4")


def test_a_panel_that_fails_beside_this_process_stops_all(film, tmp_path, two_processes):
    import dataclasses

    def panel(ax):
        def update(step):
            if step in (20, 160):
                raise ValueError("no")

        return update

    with pytest.raises(SceneError, match=r"panel 0, step \d+: test_segments.py, line \d+: ValueE"):
        save(dataclasses.replace(film, panels=[panel]), tmp_path / "film.mp4", jobs=None)
    assert list(tmp_path.iterdir()) == []


SCRIPT = """
from render import Film, save

def panel(ax):
    (dot,) = ax.plot([], [], "o")
    ax.set(xlim=(0, 300), ylim=(-1, 1))
    return lambda step: dot.set_data([step], [helper(step)])

def helper(step):
    return step / 300

print("script")
save(Film([panel], seconds=10, size=(160, 90), title=""), "film.mp4", jobs=2)
"""


def test_a_script_needs_no_guard_around_what_it_does(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("script\n", "", 0)
    assert (tmp_path / "film.mp4").stat().st_size > 0


def test_workers_that_keep_dying_are_an_error_and_leave_nothing(film, tmp_path):
    import dataclasses

    def panel(ax):
        def update(step):
            if step == 160:
                os.kill(os.getpid(), signal.SIGKILL)

        return update

    # The layout draws the last step only; step 160 is drawn by workers alone.
    with pytest.raises(ExportError, match=r"died 3 times.*use --jobs 1"):
        save(dataclasses.replace(film, panels=[panel]), tmp_path / "film.mp4", jobs=2)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_panel_in_a_worker_says_what_it_says_here(film, tmp_path):
    import dataclasses

    def panel(ax):
        def update(step):
            if step == 160:
                raise ValueError("no")

        return update

    with pytest.raises(SceneError, match=r"panel 0, step 160: test_segments.py, line \d+: ValueE"):
        save(dataclasses.replace(film, panels=[panel]), tmp_path / "film.mp4", jobs=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", [0, "2", 1.5])
def test_jobs_must_be_a_positive_number(film, tmp_path, jobs):
    with pytest.raises(UsageError, match=f"jobs={jobs!r} is not a number of processes >= 1"):
        save(film, tmp_path / "film.mp4", jobs=jobs)


def test_a_cluster_without_dask_names_the_extra(film, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'render\[cluster\]'"):
        save(film, tmp_path / "film.mp4", cluster="tcp://127.0.0.1:1")


@pytest.mark.filterwarnings("ignore")  # Dask's own, on closing while a worker is missing
def test_a_cluster_that_does_not_answer_is_an_error(film, tmp_path, monkeypatch):
    monkeypatch.setattr("render.export.workers._ANSWER_S", 1)
    with pytest.raises(ExportError, match="no Dask scheduler answers"):
        save(film, tmp_path / "film.mp4", cluster="tcp://127.0.0.1:1")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def cluster(tmp_path_factory):
    """A Dask scheduler and two workers, each a process of its own."""
    folder = tmp_path_factory.mktemp("dask")
    environment = os.environ | {"DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s"}

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    at = ["--scheduler-file", str(folder / "scheduler.json")]
    scheduler = start(
        "distributed.cli.dask_scheduler", *at, "--port", "0", "--host", "127.0.0.1",
        "--dashboard-address", "127.0.0.1:0",
    )  # fmt: skip
    workers = [
        start("distributed.cli.dask_worker", *at, "--nthreads", "1", "--no-dashboard", "--no-nanny")
        for _ in range(2)
    ]
    deadline = time.monotonic() + 60
    while not (folder / "scheduler.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    import json

    yield json.loads((folder / "scheduler.json").read_text())["address"], workers
    for process in [*workers, scheduler]:
        process.kill()
        process.wait()


@pytest.mark.filterwarnings("ignore")  # Dask's own, on losing a worker
def test_a_cluster_of_two_workers_one_of_which_is_killed_writes_the_same_film(
    film, alone, decode, cluster, tmp_path
):
    address, workers = cluster
    done = []

    def kill_one_half_way(frames, total):
        done.append(frames)
        if len(done) == 2:
            workers[0].kill()

    save(film, tmp_path / "film.mp4", cluster=address, progress=kill_one_half_way)
    assert len(done) > 2, "the worker was killed after the last segment"
    assert workers[0].wait(10) != 0
    assert same_frames(decode, tmp_path / "film.mp4", alone / "film.mp4")
