"""The modules beside a script: importable by it, and never taken for those beside another one."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

__all__ = ["Beside"]


class Beside:
    """The folder whose modules can be imported now: that of the script which runs."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._earlier: set[str] = set()  # modules that were there before
        self._aside: dict[Path, dict[str, ModuleType]] = {}  # those of other folders

    def enter(self, folder: Path) -> None:
        """Let modules in this folder be imported, and those beside other scripts no longer."""
        if folder == self._folder:
            return
        if self._folder is not None:
            self._aside[self._folder] = {name: sys.modules.pop(name) for name in self._modules()}
            with suppress(ValueError):
                sys.path.remove(str(self._folder))
        # After the libraries, which a script's name must not hide, but before another folder.
        here = {"", str(Path.cwd())}
        place = next((i for i, entry in enumerate(sys.path) if entry in here), len(sys.path))
        sys.path.insert(place, str(folder))
        self._folder, self._earlier = folder, set(sys.modules)
        sys.modules.update(self._aside.pop(folder, {}))

    def pickle_by_value(self) -> None:
        """Let films take these modules along to processes that cannot import them."""
        import cloudpickle

        for name in self._modules():
            cloudpickle.register_pickle_by_value(sys.modules[name])

    def _modules(self) -> list[str]:
        """The modules that were found in the folder, in the packages in it too."""
        new = {name: name.partition(".")[0] for name in sys.modules.keys() - self._earlier}
        beside = {package for package in set(new.values()) if self._folder in _folders(package)}
        return [name for name, package in new.items() if package in beside]


def _folders(name: str) -> list[Path | None]:
    """Where a module or a package was found; several places for a package without a file."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    places = getattr(module, "__path__", [] if file is None else [file])
    return [Path(place).resolve().parent for place in places]
