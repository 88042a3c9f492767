"""Reward functions loaded from files and modules."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import AlignTuneError, RewardError
from aligntune_core.rewards.origin import described
from aligntune_core.rewards.outline import existing, outline
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from aligntune_core.rewards.spec import FileReference, ModuleReference


def from_file(reference: FileReference, loaded: dict[Path, ModuleType]) -> Any:
    """What the reference names, from its file.

    Args:
        reference: The file and the function.
        loaded: The files run so far, which are not run again; this one is added.

    Raises:
        RewardError: If there is no such file or function, or the file fails.
    """
    file = existing(reference.path)
    if file not in loaded:
        outline(file)
        try:
            loaded[file] = _run(file)
        except (Exception, SystemExit) as error:
            raise _failed(f"file '{reference.path}'", error) from error
    return _member(loaded[file], reference.function, f"file '{reference.path}'")


def from_module(reference: ModuleReference) -> Any:
    """What the reference names, from its module, which is imported.

    Raises:
        RewardError: If there is no such module or function, or the import fails.
    """
    try:
        module = importlib.import_module(reference.module)
    except ModuleNotFoundError as error:
        if error.name and f"{reference.module}.".startswith(f"{error.name}."):
            raise no_module(error.name, reference) from error
        raise _failed(f"module '{reference.module}'", error) from error
    except (Exception, SystemExit) as error:
        raise _failed(f"module '{reference.module}'", error) from error
    return _member(module, reference.function, f"module '{reference.module}'")


def no_module(name: str, reference: ModuleReference) -> RewardError:
    """The error of the module ``name`` not being there, for a reference into it or below it."""
    parent, _, last = name.rpartition(".")
    if parent:
        there = [found.name for found in pkgutil.iter_modules(getattr(sys.modules.get(parent), "__path__", []))]
        message = f"there is no module '{last}' in '{parent}', where '{reference.function}' should be."
        return RewardError(message, fix=did_you_mean(last, there))
    fix = "It has to be installed; a function in a file is written path/file.py:function."
    if Path(f"{reference.module}.py").is_file():
        fix = f"For the file in the working directory write {reference.module}.py:{reference.function}."
    return RewardError(f"there is no module '{name}', where '{reference.function}' should be.", fix=fix)


def no_function(function: str, place: str, there: Iterable[str]) -> RewardError:
    """The error of a function not being in a file or module in which others are."""
    fix = did_you_mean(function, there) or "It defines no function."
    return RewardError(f"the {place} has no reward function '{function}'.", fix=fix)


def _run(file: Path) -> ModuleType:
    # under a name of its own, so that two files of one name don't meet
    name = f"_aligntune_rewards_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RewardError(f"'{file.name}' is no Python file.", fix="Its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _siblings_importable(str(file.parent)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _siblings_importable(folder: str) -> Iterator[None]:
    if folder in sys.path:
        yield
        return
    # last, so that nothing beside the user's file can stand in for an installed package
    sys.path.append(folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _member(module: ModuleType, function: str, place: str) -> Any:
    found: Any = module
    for part in function.split("."):
        if not hasattr(found, part):
            own = [name for name, value in vars(module).items() if inspect.isfunction(value) and name[0] != "_"]
            raise no_function(function, place, own)
        found = getattr(found, part)
    return found


def _failed(place: str, error: BaseException) -> RewardError:
    if isinstance(error, AlignTuneError):
        return RewardError(f"the {place} with reward functions failed on import: {error.message}", fix=error.fix)
    return RewardError(f"the {place} with reward functions failed on import: {described(error)}.")
