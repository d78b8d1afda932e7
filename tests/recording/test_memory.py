"""What memory is free: of the machine, and of the container in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from render.recording import memory

V2 = {
    "max": "memory.max",
    "current": "memory.current",
    "cache": "inactive_file",
    "line": "0::/pod/box",
    "root": "",
}
V1 = {
    "max": "memory.limit_in_bytes",
    "current": "memory.usage_in_bytes",
    "cache": "total_inactive_file",
    "line": "4:cpu:/other\n3:hugetlb,memory:/pod/box",
    "root": "memory",
}


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Make files as Linux shows them: 1,000 kB free, and groups by their path."""

    def system(version, groups: dict[str, tuple[str, int, int]]) -> None:
        for at, (most, current, cache) in groups.items():
            group = tmp_path / "groups" / version["root"] / at
            group.mkdir(parents=True, exist_ok=True)
            (group / version["max"]).write_text(f"{most}\n")
            (group / version["current"]).write_text(f"{current}\n")
            (group / "memory.stat").write_text(f"anon 7\n{version['cache']} {cache}\n")
        (tmp_path / "self").mkdir()
        (tmp_path / "self" / "cgroup").write_text(version["line"] + "\n")
        (tmp_path / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable: 1000 kB\n")

    monkeypatch.setattr(memory, "_PROCESSES", tmp_path)
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    return system


@pytest.mark.parametrize("version", [V1, V2], ids=["version 1", "version 2"])
@pytest.mark.parametrize(
    ("groups", "free"),
    [
        ({"pod/box": ("9000", 5000, 600)}, 9000 - 5000 + 600),
        ({"pod/box": ("9000", 0, 0), "pod": ("3000", 1000, 0)}, 2000),
        ({"": ("800", 300, 0)}, 500),  # a container sees its own group as the root
        ({"pod/box": ("100", 500, 0)}, 0),
        ({"pod/box": ("9223372036854771712", 5000, 0)}, 1000 * 1024),
        ({"pod/box": ("max", 5000, 0)}, 1000 * 1024),
        ({}, 1000 * 1024),
    ],
)
def test_a_containers_limit_counts(system, version, groups, free: int) -> None:
    system(version, groups)
    assert memory.free_bytes() == free


def test_a_system_that_does_not_say_has_no_limit(monkeypatch) -> None:
    monkeypatch.setattr(memory, "_PROCESSES", Path("/nowhere"))
    assert memory.free_bytes() is None
