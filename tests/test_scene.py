"""Scenes are found, listed, loaded and called."""

import dataclasses
import enum
import os
import shutil
import sys
from typing import Literal

import cloudpickle
import pytest

from render.errors import RenderError, SceneError, UsageError
from render.scene import Scene, Setting, blame, find, load, scene, shipped, summaries


@dataclasses.dataclass
class FakeFilm:
    """What a scene returns."""

    title: str | None = None


SCRIPT = '''
"""Two scenes."""
from dataclasses import dataclass
from render import scene

@dataclass
class FakeFilm:
    title: str | None = None
    lr: float = 0.0

@scene
def first(lr: float = 0.1, *, steps: int = 10):
    """The first scene.

    More of it.
    """
    return FakeFilm(lr=lr)

def helper():
    return 1

@scene
def second_scene():
    return FakeFilm(title="its own")
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "talk.py"
    path.write_text(SCRIPT)
    return path


def test_summaries_are_read_without_running_the_script(tmp_path):
    script = tmp_path / "talk.py"
    script.write_text(SCRIPT + "\nraise RuntimeError('was run')\n")
    assert [(s.name, s.title, s.settings) for s in summaries(script)] == [
        ("first", "The first scene", {"lr": "0.1", "steps": "10"}),
        ("second_scene", "second scene", {}),
    ]


def test_find_takes_a_script_a_scene_of_it_and_a_shipped_name(script):
    assert [s.name for s in find(str(script))] == ["first", "second_scene"]
    assert [s.name for s in find(f"{script}::second_scene")] == ["second_scene"]
    assert [s.name for s in find("linear_regression")] == ["linear_regression"]


def test_shipped_scenes_are_sorted_and_titled():
    names = [summary.name for summary in shipped()]
    assert names == sorted(names)
    assert {"line_by_hand", "linear_regression", "gradient_descent"} <= set(names)
    assert all(summary.title != summary.name for summary in shipped())


def test_a_scene_gives_its_film_the_docstring_as_title_unless_it_has_one(script):
    first, second = map(load, find(str(script)))
    assert first(lr=0.5).title == "The first scene"
    assert first(lr=0.5).lr == 0.5
    assert second().title == "its own"


def test_a_script_is_run_once_and_can_import_modules_beside_it(tmp_path):
    (tmp_path / "beside_the_talk.py").write_text("VALUE = 3\n")
    script = tmp_path / "talk.py"
    script.write_text("from beside_the_talk import VALUE\n" + SCRIPT)
    assert load(find(f"{script}::first")[0]).function.__globals__["VALUE"] == 3


def test_a_script_is_read_anew_however_fast_it_was_changed(script, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (summary,) = find(f"{script}::first")
    saved = script.stat()
    for rate in ("0.1", "0.2"):
        script.write_text(SCRIPT.replace("0.1", rate))
        os.utime(script, ns=(saved.st_atime_ns, saved.st_mtime_ns))
        monkeypatch.setattr(sys.modules["render.scene"], "_loaded", {})  # as in a new process
        assert load(summary)().lr == float(rate)
    assert list(script.parent.iterdir()) == [script]


NEIGHBOURS = """
import beside
from render import scene
from dataclasses import dataclass

@dataclass
class FakeFilm:
    title: str

@scene
def own():
    import beside_later
    return FakeFilm(f"{beside.NAME} {beside_later.NAME}")
"""


def test_each_script_has_the_modules_beside_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # as with `python -m render`
    (tmp_path / "beside.py").write_text("NAME = 'where the command runs'\n")
    scenes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "talk.py").write_text(NEIGHBOURS)
        for beside in ("beside", "beside_later"):
            (tmp_path / name / f"{beside}.py").write_text(f"NAME = {name!r}\n")
        scenes += map(load, find(f"{name}/talk.py"))
    assert [scene().title for scene in (*scenes, *scenes)] == ["one one", "two two"] * 2


def test_what_is_installed_below_a_scripts_folder_is_not_beside_it(tmp_path, monkeypatch):
    packages = tmp_path / ".venv" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_module.py").write_text("")
    monkeypatch.syspath_prepend(str(packages))
    script = tmp_path / "talk.py"
    script.write_text("import installed_module\n" + SCRIPT)
    load(find(f"{script}::first")[0])
    module = sys.modules["installed_module"]
    (tmp_path / "other").mkdir()
    load(find(str(shutil.copy(script, tmp_path / "other")))[0])
    assert sys.modules.pop("installed_module") is module
    assert module.__name__ not in cloudpickle.list_registry_pickle_by_value()


SPELLED = """
import render as r
from render import Film, scene as film_scene

@r.scene
def renamed_module(): ...

@film_scene()
def renamed_and_called(): ...

if True:
    try:
        @r.scene
        def within():
            "One."
    except ValueError:
        pass

@r.scene
def within(n=3):
    "Another."

def function():
    @r.scene
    def not_of_the_script(): ...
"""


def test_scenes_are_found_however_they_are_spelled_and_the_last_of_a_name(tmp_path):
    script = tmp_path / "talk.py"
    script.write_text(SPELLED)
    found = find(str(script))
    names = ["renamed_module", "renamed_and_called", "within"]
    assert [summary.name for summary in found] == names
    assert (found[2].title, found[2].settings) == ("Another", {"n": "3"})
    assert [load(summary).name for summary in found] == names
    assert load(found[2]).title == "Another"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("linear_regresion", "did you mean 'linear_regression'"),
        ("nothing_like_it", "no shipped scene is called 'nothing_like_it'"),
        ("no/such.py", "no/such.py: no such script"),
        ("{script.parent}/{script.stem}", "did you mean the script .*/talk.py"),
        ("{script.parent}/{script.stem}::first", "did you mean the script .*/talk.py"),
        ("{script.parent}", "not a script, which ends in .py"),
        ("{script}::secnd_scene", "did you mean 'second_scene'"),
        ("{script}::helper", "has no scene 'helper'"),
    ],
)
def test_what_cannot_be_found_is_a_usage_error(script, target, message):
    with pytest.raises(UsageError, match=message):
        find(target.format(script=script))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n    pass\n", r"talk.py, line 1: .*def f\(:"),
        ("x = 1\n", "no scene in this script"),
        (
            "from render import datasets, scene\n@scene\ndef a():\n    datasets.line(0)\n",
            r"^dataset: n is 0; .*; see talk\.py, line 4$",
        ),
        (
            "from render import errors, scene\n@scene\ndef a(): raise errors.InputError('mine')\n",
            "^mine$",
        ),
        ("from render import scene\nx = 1 / 0\n@scene\ndef a(): pass\n", "talk.py, line 2: Zero"),
        ("from render import scene\n@scene\ndef a():\n    return 3\n", "returned 'int'"),
        ("from render import scene\n@scene\ndef a():\n\n    {}['k']\n", "line 5: KeyError"),
        ("from render import scene\n@scene\ndef a(lr: float): pass\n", "'lr' has no default"),
        ("def scene(f): return f\n@scene\ndef a(): pass\n", "'a' is not a scene"),
        ("\0", "talk.py: (cannot be read|source code string cannot contain null bytes)"),
        ("from render import scene\n@scene('a')\ndef a(): pass\n", "write @scene, without"),
        (SCRIPT.replace("FakeFilm(lr=lr)", "FakeFilm"), "the class 'FakeFilm' itself"),
        ("import sys\nfrom render import scene\nsys.exit()\n@scene\ndef a(): pass", "line 3: Sys"),
        ("from render import scene\n@scene\ndef a(): raise BaseException('no')", "line 3: BaseExc"),
    ],
)
def test_a_broken_script_is_explained_in_one_line(tmp_path, text, message):
    script = tmp_path / "talk.py"
    script.write_text(text)
    with pytest.raises(RenderError, match=message) as caught:
        found = load(find(str(script))[0])
        found.parse({})
        found()
    assert "\n" not in str(caught.value)


class Shape(enum.Enum):
    """A setting's choices."""

    MOONS = "moons"
    SPIRALS = "spirals"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "0.1", 0.1),
        (float, "1e-3", 1e-3),
        (int, "600", 600),
        (int, "1e4", 10_000),
        (bool, "false", False),
        (bool, "Yes", True),
        (str, "beale", "beale"),
        (int | None, "none", None),
        (int | None, "64", 64),
        (Literal["moons", "xor"], "xor", "xor"),
        (Literal[0, 8], "0", 0),
        (int | str, "12", 12),
        (int | str, "twelve", "twelve"),
        (Shape, "MOONS", Shape.MOONS),
        (Shape, "moons", Shape.MOONS),
    ],
)
def test_a_setting_reads_its_type(kind, text, value):
    got = Setting(name="s", type=kind, default=None).parse(text)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (int, "many", "'many' is not a whole number; the default is s=5"),
        (int, "1.5", "'1.5' is not a whole number"),
        (float, "fast", "'fast' is not a number"),
        (bool, "maybe", "'maybe' is not true or false"),
        (Literal["moons", "xor"], "xo", "'xo' is not one of moons, xor"),
        (int | None, "x", "'x' is not a whole number or none"),
        (list[float], "[1]", r"s=\[1\]: a list cannot be given here; change s=5 in the script"),
        (Shape, "xor", "'xor' is not one of MOONS, SPIRALS"),
        (type(None), "3", "give it a type in the script, such as s: int | None = None"),
    ],
)
def test_a_setting_refuses_what_does_not_fit(kind, text, message):
    with pytest.raises(UsageError, match=message):
        Setting(name="s", type=kind, default=5).parse(text)


def test_a_refused_setting_names_an_enums_default_as_the_command_line_takes_it():
    with pytest.raises(UsageError, match=r"the default is s=MOONS$"):
        Setting(name="s", type=Shape, default=Shape.MOONS).parse("xor")


def test_settings_that_are_taken_by_position_alone_are_set_by_name():
    @scene
    def film(lr=0.1, n=5, /, steps=10):
        """A film."""
        return FakeFilm(title=f"{lr} {n} {steps}")

    assert film(**film.parse({"n": "3", "steps": "4"})).title == "0.1 3 4"
    assert film(0.3, n=2).title == "0.3 2 10"


def test_an_unknown_setting_is_named_with_those_there_are():
    @scene
    def film(lr: float = 0.1, steps: int = 10):
        """A film."""

    with pytest.raises(UsageError, match=r"no setting 'step'.*did you mean 'steps'.*lr, steps"):
        film.parse({"step": "3"})


def test_settings_without_annotation_take_the_type_of_their_default():
    @scene
    def film(lr=0.1, name="a"):
        """A film."""

    assert isinstance(film, Scene)
    assert film.parse({"lr": "2", "name": "b"}) == {"lr": 2.0, "name": "b"}


def test_parameters_without_a_name_of_their_own_are_no_settings():
    def anything(*args, lr=0.1, **others):
        return lr

    assert list(scene(anything).settings) == ["lr"]


def test_an_annotation_that_cannot_be_resolved_leaves_the_others(tmp_path):
    script = tmp_path / "talk.py"
    script.write_text("""from __future__ import annotations
from typing import TYPE_CHECKING, Literal
from render import scene
if TYPE_CHECKING:
    from render import Film

@scene
def film(lr: float = 1, n: int | None = None, kind: Literal["a", "b"] = "a", f: Film = 2) -> Film:
    pass
""")
    texts = {"lr": "0.5", "n": "8", "kind": "b", "f": "3"}
    settings = load(find(str(script))[0]).parse(texts)
    assert settings == {"lr": 0.5, "n": 8, "kind": "b", "f": 3}


def test_a_signal_that_stops_the_command_is_not_the_scripts_failure():
    class Stopped(SystemExit):
        pass

    with pytest.raises(Stopped), blame("talk.py", "talk.py"):
        raise Stopped(143)


def test_scene_errors_are_render_errors():
    assert issubclass(SceneError, RenderError)
