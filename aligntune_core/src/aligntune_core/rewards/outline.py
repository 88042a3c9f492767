"""What a Python file defines, read without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.errors import RewardError
from aligntune_core.machine.regular_file import read_file, special_kind
from aligntune_core.rewards.origin import described
from aligntune_core.wording import closest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 4 * 2**20
_DYNAMIC = {"globals", "locals", "vars", "exec", "setattr", "__getattr__", "*"}


@dataclass(frozen=True, slots=True)
class Outline:
    """A file's names.

    Args:
        functions: The functions it defines at its top level.
        asynchronous: Those of them that are asynchronous.
        names: Every name that its top level assigns, imports or defines.
        complete: Whether it can be told to have no others: a file that makes names while it runs can't.
    """

    functions: tuple[str, ...]
    asynchronous: frozenset[str]
    names: frozenset[str]
    complete: bool


def existing(path: str) -> Path:
    """The file at ``path``, relative to the working directory.

    Raises:
        RewardError: If there is none, or nothing of that name can be.
    """
    try:
        file = Path(path).expanduser()
        special = special_kind(file) if file.exists() else None
        if special:
            message = f"'{path}' with reward functions is {special}, not a file."
            raise RewardError(message, fix="Name a Python file.")
        if file.is_file():
            return file.resolve()
    except (OSError, RuntimeError) as error:  # a name too long; a home of nobody
        reason = getattr(error, "strerror", None) or str(error)
        raise RewardError(f"the reward functions' file {shown(path)} can't be read: {reason.rstrip('.')}.") from error
    folder = file.parent
    from_here = f"Paths are relative to the working directory, {Path.cwd()}."
    if not folder.is_dir():
        raise RewardError(
            f"there is no folder '{folder}', where '{path}' with reward functions should be.", fix=from_here
        )
    there = closest(file.name, [other.name for other in folder.glob("*.py")])
    fix = f"Did you mean '{folder / there}'?" if there else from_here
    raise RewardError(f"there is no file '{path}' with reward functions.", fix=fix)


def outline(file: Path) -> Outline:
    """What the file defines.

    Raises:
        RewardError: If it is not Python.
    """
    try:
        tree = ast.parse(read_file(file, _MOST_BYTES), str(file))
    except (SyntaxError, ValueError, OSError) as error:
        raise RewardError(f"the reward functions' file '{file}' can't be read: {described(error)}.") from error
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    asynchronous = {
        node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list
    }
    names = frozenset(name for node in _top_level(tree) for name in _bound(node))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    makes_names = any(isinstance(node, ast.Global | ast.Match) for node in ast.walk(tree))
    return Outline(tuple(functions), frozenset(asynchronous), names, not (makes_names or _DYNAMIC & (names | used)))


def _top_level(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _top_level(child)


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return []
