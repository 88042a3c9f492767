"""Draws which rooms of the packages import which into CONTRIBUTING.md; run it after an import between rooms changed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- rooms, drawn by docs/draw_rooms.py -->\n", "<!-- /rooms -->"
PACKAGES = ("aligntune_core", "aligntune_trl", "aligntune_unsloth")
LOOSE = "the root"
"""What the modules of a package that are in no room are called."""


def modules(folder: Path) -> dict[str, Path]:
    """A package's modules by their dotted names.

    Args:
        folder: The folder of the package.
    """
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str, path: Path) -> str:
    """The room that a module is in.

    Args:
        module: Its dotted name.
        path: Its file.
    """
    parts = module.split(".")
    return parts[1] if len(parts) > 2 or (len(parts) == 2 and path.name == "__init__.py") else LOOSE


def imports_of(tree: ast.AST, *, inside_functions: bool = True) -> set[str]:
    """The modules, and the names in modules, that source imports; what types alone need does not count.

    Args:
        tree: The source, parsed.
        inside_functions: Whether what is imported when a function is called counts too.
    """
    found = set()
    for node in _statements(tree, inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError("imports are absolute")
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("__import__", "import_module"):
            named = node.args[0] if node.args else None
            if isinstance(named, ast.Constant):
                found.add(str(named.value))
    return found


def _statements(node: ast.AST, *, inside_functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _statements(ast.Module(child.orelse, []), inside_functions=inside_functions)
        elif inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _statements(child, inside_functions=inside_functions)


def module_arrows(root: Path = ROOT) -> dict[str, set[str]]:
    """The modules of the repository that each module imports, also when a function is called.

    Args:
        root: The root of the repository.
    """
    known = {name: path for package in PACKAGES for name, path in modules(root / package / "src" / package).items()}
    return {
        name: {each for each in imports_of(ast.parse(path.read_bytes())) if each in known} - {name}
        for name, path in known.items()
    }


def room_arrows(root: Path = ROOT) -> set[tuple[str, str]]:
    """The rooms that import from each other, each written ``package/room``.

    Args:
        root: The root of the repository.
    """
    rooms = {
        name: f"{package}/{room_of(name, path)}"
        for package in PACKAGES
        for name, path in modules(root / package / "src" / package).items()
    }
    # the packages themselves, which their modules' names begin with, are no room
    arrows = {
        (rooms[one], rooms[other])
        for one, others in module_arrows(root).items()
        for other in others
        if other not in PACKAGES and one not in PACKAGES
    }
    return {(one, other) for one, other in arrows if one != other}


def without_detours(arrows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Arrows from which every one is left out that others lead along.

    Args:
        arrows: From and to.
    """
    left = set(arrows)
    for one, other in sorted(left):
        if other in _reached(one, left - {(one, other)}):
            left.discard((one, other))
    return left


def _reached(start: str, arrows: set[tuple[str, str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        ahead = {other for one, other in arrows if one == here} - seen
        seen |= ahead
        waiting += ahead
    return seen


def picture(root: Path = ROOT) -> str:
    """The rooms as a Mermaid flowchart.

    Args:
        root: The root of the repository.
    """
    arrows = without_detours(room_arrows(root))
    rooms = sorted({room for arrow in room_arrows(root) for room in arrow})
    lines = ["```mermaid", "flowchart TD"]
    for package in reversed(PACKAGES):
        lines.append(f'  subgraph {package}["{package}"]')
        lines += [f'    {_id(room)}["{room.partition("/")[2]}"]' for room in rooms if room.startswith(f"{package}/")]
        lines.append("  end")
    lines += [f"  {_id(one)} --> {_id(other)}" for one, other in sorted(arrows)]
    return "\n".join([*lines, "```", ""])


def _id(room: str) -> str:
    package, _, name = room.partition("/")
    return f"{package.removeprefix('aligntune_')}_{name.replace(' ', '_')}"


def main() -> None:
    """Write the picture into the page."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}{picture()}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
