from __future__ import annotations

import json
import zipfile
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from render.errors import InputError, RecordingError
from render.problem import datasets, losses, models
from render.recording import Trajectory, load_runs, record, save_runs

SGD = partial(torch.optim.SGD, lr=0.1)


def fit(**settings) -> Trajectory:
    return record(
        models.Line(-1.0, 1.0),
        datasets.line(30),
        loss=losses.mse,
        optimizer=SGD,
        **{"steps": 10, **settings},
    )


def assert_same(run: Trajectory, other: Trajectory) -> None:
    for entry in fields(run):
        ours, theirs = getattr(run, entry.name), getattr(other, entry.name)
        if entry.name in ("metrics", "buffers"):
            assert list(ours) == list(theirs)
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])
                assert ours[name].dtype == theirs[name].dtype
        elif isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
        elif entry.name != "source":
            assert ours == theirs


def test_a_saved_run_comes_back_whole_without_its_model(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run = fit(batch_size=7, metrics={"my/metric": losses.mse})
    run.save(path)
    loaded = Trajectory.load(path)
    assert_same(run, loaded)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]
    with pytest.raises(RecordingError, match=r"run.attach\(model, loss\)"):
        loaded.predict([0.5], 0)
    again = loaded.attach(models.Line(0, 0), losses.mse)
    np.testing.assert_array_equal(again.predict([0.5], 4), run.predict([0.5], 4))
    again = Trajectory.load(path, problem=run.problem)
    np.testing.assert_array_equal(again.predict([0.5], 4), run.predict([0.5], 4))


def test_running_statistics_and_nan_survive(tmp_path: Path) -> None:
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    run = record(
        nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1), nn.Flatten(0)),
        datasets.of(x, x[:, 0]),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=1e30),
        steps=5,
    )
    assert run.diverged_at is not None
    run.save(tmp_path / "a.npz")
    loaded = Trajectory.load(tmp_path / "a.npz")
    assert_same(run, loaded)
    assert loaded.diverged_at == run.diverged_at


def test_a_file_may_hold_several_runs(tmp_path: Path) -> None:
    runs = [fit(), fit(steps=3), fit(batch_size=5)]
    path = tmp_path / "runs.npz"
    save_runs(path, runs)
    for run, loaded in zip(runs, load_runs(path), strict=True):
        assert_same(run, loaded)
    with pytest.raises(RecordingError, match=r"holds 3 runs; read them with load_runs\(path\)"):
        Trajectory.load(path)


def test_saving_replaces_an_older_file_and_keeps_it_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.npz"
    fit(steps=1).save(path)
    fit(steps=2).save(path)
    assert Trajectory.load(path).steps == 2

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(RecordingError, match=r"cannot write .*run.npz.*No space left.* make room"):
        fit(steps=3).save(path)
    assert Trajectory.load(path).steps == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_in_the_file_is_pickled(tmp_path: Path) -> None:
    fit().save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as archive:
        assert json.loads(str(archive["header"]))["format"] == "render-run"
        assert all(archive[name].dtype != object for name in archive.files)


def rewritten_header(path: Path, **changes) -> None:
    with np.load(path) as archive:
        members = dict(archive)
    header = {**json.loads(str(members.pop("header"))), **changes}
    np.savez(path, header=np.array(json.dumps(header)), **members)


def without_a_member(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if "lr" not in name}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def shortened(path: Path) -> None:
    with np.load(path) as archive:
        members = dict(archive)
    np.savez(path, **{**members, "0/loss": members["0/loss"][:-1]})


SPOILED = {
    "missing": (lambda path: path.unlink(), "cannot read"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "cannot read"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged or not a run"),
    "text": (lambda path: path.write_text("step,loss\n1,2\n"), "is damaged or not a run"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is damaged or not a run"),
    "foreign": (lambda path: np.savez(path, a=np.zeros(3)), "is not a run of render's"),
    "foreign header": (lambda path: np.savez(path, header=np.zeros(3)), "not a run of render's"),
    "pickled": (
        lambda path: np.savez(path, header=np.array([{}], dtype=object)),
        "is damaged or not a run",
    ),
    "newer": (lambda path: rewritten_header(path, version=2), "format version 2, and this render"),
    "other format": (lambda path: rewritten_header(path, format="x"), "format 'x'"),
    "no runs": (lambda path: rewritten_header(path, runs=None), "is damaged or not a run"),
    "odd runs": (lambda path: rewritten_header(path, runs=[3]), "is damaged or not a run"),
    "lost member": (without_a_member, "is damaged or not a run"),
    "short array": (shortened, "params has 11 rows and loss 10"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_file_says_so_in_one_line(tmp_path: Path, spoil, message: str) -> None:
    path = tmp_path / "run.npz"
    fit().save(path)
    spoil(path)
    for load in (Trajectory.load, load_runs):
        with pytest.raises(RecordingError) as caught:
            load(path)
        assert message in str(caught.value)
        assert "run.npz" in str(caught.value) and "\n" not in str(caught.value)


def test_no_flipped_bit_goes_unnoticed_in_the_numbers(tmp_path: Path) -> None:
    path, run = tmp_path / "run.npz", fit(batch_size=4)
    run.save(path)
    content = path.read_bytes()
    for position in np.random.default_rng(0).integers(len(content), size=200):
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(position) % 8
        path.write_bytes(bytes(flipped))
        try:
            loaded = Trajectory.load(path)
        except RecordingError as exc:
            assert "\n" not in str(exc)
        else:
            assert_same(run, loaded)  # the bit lay in what nobody reads, such as a date


def test_a_missing_folder_or_no_runs_say_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot write .*nowhere.*No such file"):
        fit().save(tmp_path / "nowhere" / "run.npz")
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match=r"cannot write .*run.npz'.*Not a directory"):
        fit().save(tmp_path / "file" / "run.npz")
    (tmp_path / "file").unlink()
    for none in ([], fit(), {"a": fit()}, [3], 3, iter([])):
        with pytest.raises(InputError, match=r"save_runs: runs is .*; give a list of one or more"):
            save_runs(tmp_path / "run.npz", none)
    assert not list(tmp_path.iterdir())
