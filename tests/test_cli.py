"""The command line: what it writes, what it says, and how it fails."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import imageio.v3 as iio
import numpy as np
import pytest

import render
from render.cli import main

SCENE = '''
"""A scene that needs no recording."""
from render import Film, scene

@scene
def bars(n: int = 3, speed: float = 1.0) -> Film:
    """Bars that grow."""
    def panel(ax):
        rectangles = ax.bar(range(n), [0] * n)
        ax.set_ylim(0, 10)
        def update(step):
            for rectangle in rectangles:
                rectangle.set_height(speed * step)
        return update
    return Film([panel], seconds=0.5, fps=10, size=(160, 90))
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with one script in it."""
    (tmp_path / "talk.py").write_text(SCENE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def signals_stay():
    """The command sets handlers; put the old ones back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(capsys):
    """Run the command in this process; give its exit code, output and error lines."""

    def call(*arguments):
        with pytest.raises(SystemExit) as left:
            main(list(map(str, arguments)))
        out, err = capsys.readouterr()
        return left.value.code, out.splitlines(), err.splitlines()

    return call


def files(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def test_the_path_of_each_file_goes_to_standard_output_and_the_rest_elsewhere(folder, run):
    code, out, err = run("talk.py", "-o", "a.mp4", "-o", "a.gif", "-o", "a.png")
    assert (code, out) == (0, ["a.mp4", "a.gif", "a.png"])
    assert len(err) == 1 and re.fullmatch(r"bars: film: 5 frames in \d+\.\d s", err[0])
    assert files(folder) == ["a.gif", "a.mp4", "a.png", "talk.py"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_script_prints_goes_to_standard_error(folder, run, jobs):
    loud = SCENE.replace(
        "def panel(ax):", "print('scene')\n    def panel(ax):\n        print('panel')"
    )
    (folder / "talk.py").write_text("print('script')\n" + loud)
    code, out, err = run("talk.py", "-q", "-o", "a.mp4", "--jobs", jobs)
    assert (code, out) == (0, ["a.mp4"])
    assert {"script", "scene"} <= set(err)


def test_files_in_the_current_folder_do_not_stand_for_libraries(folder, run):
    (folder / "types.py").write_text(SCENE)
    command = f"{os.path.dirname(sys.executable)}/render types.py -q -o a.mp4 --jobs 2"
    done = subprocess.run(command.split(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.mp4\n", "")


def test_quiet_says_nothing_on_standard_error(folder, run):
    assert run("talk.py", "-q", "-o", "a.mp4") == (0, ["a.mp4"], [])


def test_the_default_output_is_in_the_folder_outputs(folder, run):
    assert run("talk.py::bars", "-q") == (0, ["outputs/bars.mp4"], [])


def test_the_placeholder_names_each_scene(folder, run):
    (folder / "talk.py").write_text(SCENE + SCENE.replace("bars(", "more(").split("scene\n", 1)[1])
    assert run("talk.py", "-q", "-o", "{scene}.gif")[1] == ["bars.gif", "more.gif"]


def test_frames_choose_a_range_or_one_still(folder, run):
    assert run("talk.py", "-q", "--frames", "1:3", "-o", "f%d.png")[1] == ["f1.png", "f2.png"]
    assert "film: 1 frame in" in run("talk.py", "--frames", "2", "-o", "one.png")[2][0]
    run("talk.py", "-q", "-o", "last.png")
    run("talk.py", "-q", "--frames", "-1", "-o", "f%d.png")
    assert np.array_equal(iio.imread("one.png"), iio.imread("f2.png"))
    assert np.array_equal(iio.imread("last.png"), iio.imread("f4.png"))


@pytest.mark.parametrize(
    ("arguments", "size", "fps", "frames"),
    [
        ([], (160, 90), 10, 5),
        (["--quality", "draft"], (640, 360), 10, 5),
        (["--quality", "hd"], (1920, 1080), 10, 5),
        (["--size", "200x120"], (200, 120), 10, 5),
        (["--quality", "draft", "--size", "200x120"], (200, 120), 10, 5),
        (["--fps", "20"], (160, 90), 20, 10),
    ],
)
def test_size_and_rate_can_be_changed(folder, run, decode, arguments, size, fps, frames):
    assert run("talk.py", "-q", "-o", "a.mp4", *arguments)[0] == 0
    decoded = decode("a.mp4")
    assert (decoded.size, decoded.fps, len(decoded.frames)) == (size, fps, frames)


def test_settings_and_theme_change_the_picture(folder, run):
    pictures = []
    style = folder / "mine.mplstyle"
    style.write_text("figure.facecolor: 00ff00\n")
    for extra in ([], ["--set", "n=5"], ["-s", "speed=2"], ["--theme", "dark"], ["--theme", style]):
        assert run("talk.py", "-q", "-o", "a.png", *extra)[0] == 0
        pictures.append(iio.imread("a.png"))
    assert len({picture.tobytes() for picture in pictures}) == 5
    assert pictures[4][0, 0].tolist() == [0, 255, 0]


def test_a_kept_run_gives_the_same_film_without_recording_again(folder, run, monkeypatch):
    options = ["linear_regression", "-q", "--size", "320x180", "--set", "steps=20"]
    code, out, _ = run(*options, "--save-run", "r.npz", "-o", "a.mp4", "-o", "a.png")
    assert (code, out) == (0, ["r.npz", "a.mp4", "a.png"])
    steps = []
    import torch

    original = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD, "step", lambda *a, **k: (steps.append(1), original(*a, **k))[1]
    )
    code, out, _ = run(*options, "--from-run", "r.npz", "-o", "b.mp4", "-o", "b.png")
    assert (code, out, steps) == (0, ["b.mp4", "b.png"], [])
    assert (folder / "a.mp4").read_bytes() == (folder / "b.mp4").read_bytes()
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    code, _, err = run(*options, "--from-run", "r.npz", "-s", "lr=0.3")
    assert code == 1 and err[0].startswith("Error: --from-run r.npz: the file was recorded with")


def test_listing_names_each_scene_with_title_and_settings(run):
    code, out, err = run("--list")
    assert (code, err) == (0, [])
    line = next(line for line in out if line.startswith("linear_regression "))
    assert "Gradient descent fits a line to noisy points" in line
    assert "lr=0.01" in line and "steps=600" in line
    assert run("--list", "-q")[1] == [line.split()[0] for line in out]


def test_listing_a_script_shows_its_scenes(folder, run):
    assert run("talk.py", "--list")[1] == ["bars  Bars that grow  [n=3 speed=1.0]"]


MOVES = """
import os
from pathlib import Path
os.chdir(Path(__file__).parent)
""" + SCENE.replace(
    "ax.bar", "ax.set_title(Path('words.txt').read_text())\n        rectangles = ax.bar"
)


def test_a_script_that_changes_its_folder_keeps_it_and_the_files_stay(folder, run):
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "talk.py").write_text(MOVES.replace("bars(", f"{name}("))
        (folder / name / "words.txt").write_text(name)
    (folder / "mine.mplstyle").write_text("figure.facecolor: 00ff00\n")
    code, out, _ = run(
        *("one/talk.py", "talk.py", "two/talk.py", "-q", "--theme", "mine.mplstyle"),
        *("-o", "{scene}.png", "-o", "one/../{scene}-%d.png", "--frames", "4"),
    )
    names = ["one.png", "one/../one-4.png", "bars.png", "one/../bars-4.png", "two.png"]
    assert (code, out) == (0, [*names, "one/../two-4.png"])
    assert all((folder / name).exists() for name in out)
    assert not list(folder.glob("*/*.png"))
    assert iio.imread("two.png")[0, 0].tolist() == [0, 255, 0]


def test_a_scene_that_is_named_twice_is_drawn_once(folder, run):
    assert run("talk.py", "./talk.py::bars", "-q", "-o", "{scene}.gif")[1] == ["bars.gif"]


def test_all_settings_are_checked_before_the_first_film_is_drawn(folder, run):
    (folder / "two.py").write_text(SCENE.replace("bars(n: int = 3, ", "more("))
    code, out, err = run("talk.py", "two.py", "-s", "n=2", "-o", "{scene}.gif")
    assert (code, out, len(err)) == (2, [], 1)
    assert "scene 'more' has no setting 'n'" in err[0]


def test_the_default_folder_is_left_only_with_a_film_in_it(folder, run):
    (folder / "fails.py").write_text(BROKEN["fails.py"])
    for arguments in (["talk.py", "-s", "m=1"], ["talk.py", "--check"], ["fails.py"]):
        assert run(*arguments, "-q")[1] == []
        assert not (folder / "outputs").exists()
    (folder / "outputs").write_text("")
    code, _, err = run("talk.py", "-q")
    assert (code, len(err)) == (1, 1)
    assert "outputs: is a file, where the folder for films belongs" in err[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_default_folder_that_cannot_be_made(folder, run):
    folder.chmod(0o500)
    code, _, err = run("talk.py", "-q")
    folder.chmod(0o700)
    assert (code, len(err)) == (1, 1)
    assert "outputs: this folder cannot be made here; name a file elsewhere" in err[0]


def test_standard_output_that_is_full_is_an_error(folder, run, monkeypatch):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, err = run("talk.py", "--list")
        with suppress(OSError):
            full.close()
    assert (code, len(err)) == (1, 1)
    assert "standard output cannot be written to: No space left" in err[0]


def test_without_standard_error_the_film_is_written(folder, run, monkeypatch):
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stderr", None)
        assert run("talk.py", "-o", "a.gif")[:2] == (0, ["a.gif"])
    assert files(folder) == ["a.gif", "talk.py"]


def test_a_terminal_that_is_closed_stops_the_command_and_leaves_no_file(folder, run):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever the tests were started with
    stop = "os.kill(os.getpid(), signal.SIGHUP) if step == 2 else None"
    script = SCENE.replace("update(step):", f"update(step):\n            {stop}")
    (folder / "closed.py").write_text("import os, signal\n" + script)
    assert run("closed.py", "-q", "-o", "a.mp4", "--jobs", "1")[:2] == (129, [])
    assert files(folder) == ["closed.py", "talk.py"]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    assert run("closed.py", "-q", "-o", "a.mp4", "--jobs", "1")[:2] == (0, ["a.mp4"])


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        ("SIGINT", 1, ["Error: stopped before the film was complete; nothing was left behind"]),
        ("SIGTERM", 143, []),
    ],
)
def test_what_a_library_makes_of_a_stop_while_it_is_loaded_is_not_told(
    folder, run, sent, code, words
):
    (folder / "library.py").write_text(f"""
import os, signal
try:
    os.kill(os.getpid(), signal.{sent})
except BaseException:
    raise ImportError("initialization failed")
""")
    (folder / "talk.py").write_text("import library\n" + SCENE)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests started with
    assert run("talk.py", "-q") == (code, [], words)


def test_a_stop_while_a_script_is_loaded_does_not_wait_for_libraries(folder, run, monkeypatch):
    (folder / "endless.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)\n"
    )
    (folder / "talk.py").write_text("import endless\n" + SCENE)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(folder))  # that of libraries
    left = []
    monkeypatch.setattr("render.cli.leave", lambda code: sys.exit(left.append(code) or code))
    assert run("talk.py")[0] == 143
    assert left == [143]


def test_version_and_help(run):
    assert run("--version")[1] == [f"render {render.__version__}"]
    code, out, _ = run("--help")
    assert code == 0
    assert {"--set", "--quality", "--frames", "--save-run"} <= set(" ".join(out).split())


BROKEN = {
    "syntax.py": "def f(:\n",
    "empty.py": "x = 1\n",
    "absent.py": "import absent_module\n" + SCENE,
    "crash.py": "from render import scene\n@scene\ndef a():\n    return 1 / 0\n",
    "wrong.py": "from render import scene\n@scene\ndef a():\n    return 3\n",
    "two.py": SCENE + SCENE.replace("bars(", "more(").split("scene\n", 1)[1],
    "fails.py": SCENE.replace("update(step):", "update(step):\n            1 / (step - 3)"),
    "not-a-run.npz": "hello",
    "exits.py": "import sys\nfrom render import scene\nsys.exit(0)\n@scene\ndef a(): pass\n",
    "other.py": SCENE,
    "wrong.mplstyle": "lines.linewidth: 3\naxes.facecolor: nocolour\n",
}

BAD = [
    # arguments, exit code, message
    (["linear_regresion"], 2, "did you mean 'linear_regression'"),
    (["no/such.py"], 2, "no/such.py: no such script"),
    (["talk.py::bar"], 2, "talk.py has no scene 'bar' (did you mean 'bars'?)"),
    (["syntax.py"], 1, "syntax.py, line 1:"),
    (["empty.py"], 2, "empty.py: no scene in this script"),
    (["absent.py"], 1, "Error: absent.py, line 1: ModuleNotFoundError: No module named"),
    (["crash.py"], 1, "crash.py, line 4: ZeroDivisionError: division by zero"),
    (["wrong.py"], 1, "returned 'int'; it must return a render.Film"),
    (["fails.py"], 1, "panel 0, step 3: fails.py, line 12: ZeroDivisionError"),
    (["exits.py"], 1, "exits.py, line 3: SystemExit: 0"),
    ([], 2, "no scene was named"),
    ([f"{'x' * 300}.py"], 1, "x.py: File name too long"),
    (["talk.py", "-o", f"{'x' * 300}.mp4"], 1, "x.mp4: could not be written: File name too long"),
    (["talk.py", "--set", "m=3"], 2, "scene 'bars' has no setting 'm'"),
    (["talk.py", "--set", "speed=fast"], 2, "--set speed=fast: 'fast' is not a number"),
    (["talk.py", "--set", "n=1.5"], 2, "'1.5' is not a whole number"),
    (["talk.py", "--set", "n"], 2, "'n' is not NAME=VALUE"),
    (["talk.py", "--size", "641x361"], 2, "641x361 pixels is odd"),
    (["talk.py", "--size", "0x0"], 2, "each side must be from 54 to 16384"),
    (["talk.py", "--size", "large"], 2, "'large' is not WIDTHxHEIGHT"),
    (["talk.py", "--fps", "0"], 2, "0.0 is not in the range 0.01<=x<=240"),
    (["talk.py", "--fps", "nan"], 2, "'nan' is not a number of frames a second"),
    (["talk.py", "--fps", "fast"], 2, "'fast' is not a valid number"),
    (["talk.py", "--jobs", "two"], 2, "'two' is not a valid whole number"),
    (["talk.py", "--save-run", "r.npz"], 2, "--save-run r.npz: scene 'bars' records no run"),
    (["talk.py", "-o", "talk.py/a.mp4"], 1, "a.mp4: 'talk.py' is a file, not a folder"),
    (["crash.py", "-o", "f%d.mp4"], 2, "f%d.mp4: numbered frames are written as .png"),
    (["talk.py", "--quality", "8k"], 2, "'8k' is not one of 'draft', 'hd', '4k'"),
    (["talk.py", "--theme", "neon"], 2, "theme 'neon' is neither 'light' nor 'dark'"),
    (["talk.py", "-o", "a.mp5"], 2, "unknown suffix '.mp5' (did you mean '.mp4'?)"),
    (["talk.py", "-o", "film"], 2, "film: no suffix"),
    (["talk.py", "-o", "no/such/a.mp4"], 1, "the folder 'no/such' does not exist"),
    (["talk.py", "-o", "folder.mp4"], 1, "is a folder; name a file in it"),
    (["talk.py", "-o", "folder"], 1, "folder: is a folder; name a file in it"),
    (["talk.py", "-o", "0.png", "-o", "%d.png"], 2, "0.png: named twice"),
    (["talk.py", "-o", "a.mp4", "-o", "a.mp4"], 2, "a.mp4: named twice"),
    (
        ["talk.py", "-o", "a.mp4", "-o", "folder.mp4/../a.mp4"],
        2,
        "folder.mp4/../a.mp4: named twice",
    ),
    (["talk.py", "--save-run", "talk.py"], 2, "--save-run talk.py: runs are kept in a file that"),
    (
        ["talk.py", "--save-run", "no"],
        2,
        "--save-run no: runs are kept in a file that ends in .npz",
    ),
    (["talk.py", "other.py", "-o", "{scene}.gif"], 2, "bars.gif: would be written by "),
    (["talk.py", "other.py"], 2, "other.py::bars; rename one of the scenes, or render them"),
    (
        ["talk.py", "--theme", "wrong.mplstyle"],
        2,
        "wrong.mplstyle', line 2 ('axes.facecolor: nocolour')",
    ),
    (["two.py", "-o", "a.mp4"], 2, "2 scenes (bars, more) would write to one file; put {scene}"),
    (["talk.py", "other.py", "-o", "a.mp4"], 2, "to one file; render them one after the other"),
    (["two.py", "--save-run", "r.npz"], 2, "take one scene"),
    (["talk.py", "--save-run", "no/such/r.npz"], 1, "the folder 'no/such' does not exist"),
    (["talk.py", "--device", "tpu"], 2, "'tpu' is not one of 'auto', 'cpu', 'cuda'"),
    (["talk.py", "--frames", "9:12"], 2, "--frames 9:12: bars has the frames 0:5"),
    (["talk.py", "--frames", "5", "--check"], 2, "--frames 5: bars has no such frame; it has 0 to"),
    (["talk.py", "--frames", "5"], 2, "--frames 5: bars has no such frame; it has 0 to 4"),
    (["talk.py", "--frames", "3:2"], 2, "--frames 3:2: no frame is among these"),
    (["talk.py", "-o", ""], 2, "-o '': no file is named"),
    (["talk.py", "-o", "{foo}.mp4"], 2, "{foo}.mp4: {foo} stands for nothing here; the one placeh"),
    (["two.py", "-o", "{scene}-{}.gif"], 2, "{} stands for nothing here"),
    (["talk.py", "-o", "a.gif", "--save-run", "{scene}.npz"], 2, "{scene} stands for nothing here"),
    (["::bars"], 2, "no shipped scene is called '::bars'"),
    ([""], 2, "no shipped scene is called ''"),
    (["talk.py", "--frames", "a:b"], 2, "'a:b' is not A:B"),
    (["talk.py", "--from-run", "no.npz"], 1, "no.npz"),
    (["talk.py", "--from-run", "not-a-run.npz"], 1, "not-a-run.npz"),
    (["talk.py", "--sets", "n=1"], 2, "--sets"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), BAD, ids=lambda v: str(v)[:50])
def test_bad_input_is_one_line_an_exit_code_and_no_file(folder, run, arguments, code, message):
    for name, text in BROKEN.items():
        (folder / name).write_text(text)
    (folder / "folder.mp4").mkdir()
    (folder / "folder").mkdir()
    before = files(folder)
    got, out, err = run(*arguments, "-q")
    assert (got, out, len(err)) == (code, [], 1)
    assert err[0].startswith("Error: ")
    assert message in err[0]
    assert "Traceback" not in err[0]
    assert files(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(folder, run):
    (folder / "locked").mkdir(mode=0o500)
    code, _, err = run("talk.py", "-q", "-o", "locked/a.mp4")
    assert (code, len(err)) == (1, 1)
    assert "cannot be written to" in err[0]


def test_cuda_where_there_is_none(folder, run, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, out, err = run("linear_regression", "-q", "--device", "cuda", "-o", "a.mp4")
    assert (code, out, len(err)) == (1, [], 1)
    assert "cuda" in err[0].lower()
    assert files(folder) == ["talk.py"]


def test_debug_adds_the_traceback(folder, run):
    (folder / "crash.py").write_text(BROKEN["crash.py"])
    code, _, err = run("crash.py", "--debug")
    assert code == 1
    assert err[0].startswith("Traceback") and "crash.py, line 4" in err[-1]


def test_output_is_machine_readable(folder):
    done = subprocess.run(
        [sys.executable, "-m", "render", "talk.py", "-o", "a.gif"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.dumps(done.stdout.split()) == '["a.gif"]'
