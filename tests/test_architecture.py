"""The way of the data is one-way, and start-up imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import render

PACKAGE = Path(render.__file__).parent
ORDER = ["errors", "settings", "beside", "scene", "problem", "recording", "film", "export"]


def imported(path: Path, *, lazy: bool = True) -> set[str]:
    """Names of the modules a file imports; without `lazy`, only those on loading it."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def stage_files():
    return [
        (stage, path)
        for stage in ORDER
        for path in ([PACKAGE / f"{stage}.py"] if (PACKAGE / f"{stage}.py").exists() else [])
        + sorted((PACKAGE / stage).rglob("*.py"))
    ]


@pytest.mark.parametrize(
    ("stage", "path"), stage_files(), ids=lambda v: str(v.name) if isinstance(v, Path) else v
)
def test_a_stage_imports_only_stages_to_its_left(stage, path):
    type_only = {"render.film.film"} if stage == "scene" else set()
    for name in imported(path) - type_only:
        if name.startswith("render."):
            assert ORDER.index(name.split(".")[1]) <= ORDER.index(stage), f"{path} imports {name}"


@pytest.mark.parametrize(
    ("library", "stages"),
    [("torch", {"problem", "recording"}), ("matplotlib", {"film", "export"})],
)
def test_heavy_libraries_stay_in_their_stages(library, stages):
    for path in PACKAGE.rglob("*.py"):
        uses = any(name.split(".")[0] == library for name in imported(path))
        inside = path.relative_to(PACKAGE).parts[0] in stages
        assert inside or not uses, f"{path} imports {library}"


@pytest.mark.parametrize(
    "code",
    [
        "import render",
        "from render.cli import main; main(['--help'])",
        "from render.cli import main; main(['--list'])",
    ],
)
def test_start_up_imports_neither_torch_nor_matplotlib(code):
    check = (
        "import sys, atexit\n"
        "def report():\n"
        "    heavy = {'torch', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
        "atexit.register(report)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", check + code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_public_names_are_sorted_documented_and_load():
    assert render.__all__ == sorted(render.__all__)
    for name in render.__all__:
        assert getattr(render, name).__doc__, name
    assert set(render.__all__) <= set(dir(render))


def test_the_decorator_has_its_name_also_once_its_module_is_loaded():
    code = "import render.scene; from render import scene; print(scene.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "scene\n"


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'flim'"):
        _ = render.flim


def test_every_module_is_short_enough_to_read():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
