"""Files appear whole or not at all."""

import os
import shutil
from pathlib import Path

import pytest

from render.errors import ExportError
from render.export.whole import check_target, whole_file, whole_folder


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "film.mp4"
    with whole_file(target) as partial:
        partial.write_text("film")
        assert not target.exists()
        assert (partial.parent.parent, partial.suffix) == (tmp_path, ".mp4")
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "film"


def test_a_file_stays_as_it_was_when_writing_fails(tmp_path):
    target = tmp_path / "film.mp4"
    target.write_text("before")
    with pytest.raises(KeyboardInterrupt), whole_file(target) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "before"


def test_what_starts_to_write_after_a_failure_finds_no_place(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "film.mp4") as partial:
        raise KeyboardInterrupt
    with pytest.raises(FileNotFoundError):
        partial.write_text("late")
    assert list(tmp_path.iterdir()) == []


def test_two_may_write_the_same_target_at_once(tmp_path):
    target = tmp_path / "film.mp4"
    with whole_file(target) as one, whole_file(target) as other:
        one.write_text("one")
        other.write_text("other")
    assert target.read_text() == "one"


def test_a_script_may_change_its_folder_meanwhile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with whole_file(tmp_path.relative_to(tmp_path) / "film.mp4") as partial:
        monkeypatch.chdir(tmp_path / "elsewhere")
        partial.write_text("film")
    assert (tmp_path / "film.mp4").read_text() == "film"


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path):
    target = tmp_path / ("é" * 125 + ".mp4")
    with whole_file(target) as partial:
        partial.write_text("film")
    assert target.exists()


def test_a_file_that_was_not_written_is_an_error(tmp_path):
    with pytest.raises(ExportError, match="could not be written"), whole_file(tmp_path / "f.mp4"):
        pass


def test_a_folder_that_vanishes_is_an_error(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with (
        pytest.raises(ExportError, match=r"film\.mp4: could not be written"),
        whole_file(folder / "film.mp4") as partial,
    ):
        partial.write_text("film")
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/film.mp4", "the folder '.*missing' does not exist; create it first"),
        ("folder", "is a folder; name a file in it"),
        ("file/film.mp4", "'.*file' is a file, not a folder"),
        ("x" * 252 + ".mp4", r"x\.mp4: could not be written: File name too long"),
    ],
)
def test_a_target_that_cannot_be_is_named(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=message):
        check_target(tmp_path / name)


@pytest.mark.parametrize("kept", ["before", None])
def test_a_link_stays_and_its_target_is_written(tmp_path, kept):
    real, link = tmp_path / "there" / "data.bin", tmp_path / "film.mp4"
    real.parent.mkdir()
    if kept:
        real.write_text(kept)
    link.symlink_to(Path("there") / "data.bin")
    with whole_file(link) as partial:
        partial.write_text("film")
        assert (partial.parent.parent, partial.suffix) == (real.parent, ".mp4")
        assert (real.read_text() if real.exists() else None) == kept
    assert link.is_symlink() and real.read_text() == "film"
    assert list(real.parent.iterdir()) == [real]


def test_a_link_to_a_folder_that_is_missing_is_an_error(tmp_path):
    link = tmp_path / "film.mp4"
    link.symlink_to(tmp_path / "missing" / "film.mp4")
    with pytest.raises(ExportError, match=r"film\.mp4: the folder '.*missing' does not exist"):
        check_target(link)


def test_a_link_to_itself_is_an_error(tmp_path):
    (tmp_path / "film.mp4").symlink_to("film.mp4")
    with pytest.raises(ExportError, match=r"film\.mp4: is a link that leads to itself"):
        check_target(tmp_path / "film.mp4")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "film.mp4")
    (tmp_path / "link.mp4").symlink_to("film.mp4")
    for name in ("film.mp4", "link.mp4"):
        with pytest.raises(ExportError, match=rf"{name}: is a pipe or a device"):
            check_target(tmp_path / name)


def test_a_folders_links_stay_and_their_targets_are_written(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "1.png").symlink_to(tmp_path / "there" / "real.png")
    with whole_folder(tmp_path) as partial:
        (partial / "1.png").write_text("1")
    assert (tmp_path / "1.png").is_symlink()
    assert (tmp_path / "there" / "real.png").read_text() == "1"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.png", "real.png", "there"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_is_read_only_stays(tmp_path):
    target = tmp_path / "film.mp4"
    target.write_text("before")
    target.chmod(0o444)
    with pytest.raises(ExportError, match=r"film\.mp4: is read-only; allow writing to it"):
        check_target(target)


def test_a_folders_files_appear_together(tmp_path):
    (tmp_path / "2.png").write_text("before")
    with whole_folder(tmp_path) as partial:
        for number in (1, 2):
            (partial / f"{number}.png").write_text(str(number))
        assert not (tmp_path / "1.png").exists()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "1.png": "1",
        "2.png": "2",
    }


def test_none_of_a_folders_files_appears_when_one_cannot(tmp_path):
    (tmp_path / "2.png").mkdir()
    with (
        pytest.raises(ExportError, match=r"2\.png: is a folder"),
        whole_folder(tmp_path) as partial,
    ):
        for number in (1, 2, 3):
            (partial / f"{number}.png").write_text(str(number))
    assert [path.name for path in tmp_path.iterdir()] == ["2.png"]


def test_a_folder_stays_as_it_was_when_writing_fails(tmp_path):
    with pytest.raises(ValueError, match="half-way"), whole_folder(tmp_path) as partial:
        (partial / "1.png").write_text("half")
        raise ValueError("half-way")
    assert list(tmp_path.iterdir()) == []


def test_a_private_file_that_is_replaced_stays_private(tmp_path):
    target = tmp_path / "film.mp4"
    target.touch(mode=0o600)
    with whole_file(target) as partial:
        partial.write_text("film")
    assert target.stat().st_mode & 0o777 == 0o600
