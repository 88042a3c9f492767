"""What is said of environments: what one would hold, which there are, and what is not as it was recorded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aligntune_core.console.ink import Ink
from aligntune_core.environments.folder import environments_folder
from aligntune_core.environments.holding import is_being_made
from aligntune_core.environments.known import Unusable, every_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_core.environments.environment import Environment
    from aligntune_core.provisioning.examine import Difference
    from aligntune_core.provisioning.request import Request
    from aligntune_core.provisioning.specification import Specification

_CONSTRAINTS_SHOWN = 8
_COLOURS = {"error": "red", "warning": "yellow"}


def create(request: Request, *, dry_run: bool = False, json: bool = False) -> None:
    """Make an environment, or say what it would hold.

    Args:
        request: What it is made from.
        dry_run: Only say it.
        json: Write JSON.
    """
    if dry_run:
        from aligntune_core.provisioning.specification import specify

        found = specify(request)
        _write(found.to_dict(), _specification_lines(found, Ink(sys.stdout)), json=json)
        return
    from aligntune_core.provisioning.make import create as make

    _say_made(make(request, _say), json=json)


def add(name: str, python: str, paths: list[str], *, json: bool = False) -> None:
    """Adopt an interpreter.

    Args:
        name: The environment's name.
        python: The interpreter.
        paths: Folders that it imports from besides its own.
        json: Write JSON.
    """
    from aligntune_core.provisioning.keep import add as adopt

    _say_made(adopt(name, python, paths, _say), json=json)


def update(name: str, changes: Mapping[str, Any], *, json: bool = False) -> None:
    """Make an environment anew.

    Args:
        name: Its name.
        changes: What is to be other than it was.
        json: Write JSON.
    """
    from aligntune_core.provisioning.make import update as make

    _say_made(make(name, changes, _say), json=json)


def remove(name: str, *, json: bool = False) -> None:
    """Remove an environment.

    Args:
        name: Its name.
        json: Write JSON.
    """
    from aligntune_core.provisioning.keep import remove as take_away

    take_away(name)
    _write({"removed": name}, [f"The environment '{name}' is removed."], json=json)


def show(*, json: bool = False) -> None:
    """Write which environments there are.

    Args:
        json: Write JSON.
    """
    found = every_environment()
    folder = environments_folder()
    values = {"folder": folder, "environments": {each.name: _values(each) for each in found}}
    _write(values, _list_lines(found, folder, Ink(sys.stdout)), json=json)


def check(name: str = "", *, json: bool = False) -> int:
    """Say what is not as it was recorded.

    Args:
        name: The environment; all if empty.
        json: Write JSON.

    Returns:
        The program's exit code: 1 if a backend can't be used.
    """
    from aligntune_core.provisioning.examine import examine_all

    found = examine_all(name)
    ink = Ink(sys.stdout)
    lines = [] if found else ["There is no environment."]
    for each in found:
        word = "" if each.problems else "as it was recorded"
        lines.append(f"{ink.style(each.name, 'bold')}  {word}".rstrip())
        lines += [line for problem in each.problems for line in _problem_lines(problem, ink)]
    _write({each.name: each.to_dict() for each in found}, lines, json=json)
    return 0 if all(each.ok for each in found) else 1


def _problem_lines(problem: Difference, ink: Ink) -> Iterator[str]:
    label = f"  {problem.severity}"
    yield (
        ink.style(label, _COLOURS[str(problem.severity)])
        + ink.wrap(problem.message, "    ", f"{label}  ")[len(label) :]
    )
    if problem.fix:
        yield ink.wrap(problem.fix, "    ")


def _list_lines(found: list[Environment | Unusable], folder: str, ink: Ink) -> Iterator[str]:
    if not found:
        yield ink.wrap(f"There is no environment in '{folder}'.")
        yield ink.wrap("Make one, e.g. with: aligntune env create unsloth")
        return
    width = max(len("environment"), *(len(each.name) for each in found))
    yield ink.style(f"{'environment'.ljust(width)}  backends", "bold")
    for each in found:
        label = f"{each.name.ljust(width)}  "
        if isinstance(each, Unusable):
            state = "being made" if is_being_made(each.name) else f"unusable: {each.reason}"
            yield ink.wrap(state, " " * len(label), label)
            continue
        yield ink.wrap(", ".join(_backend_words(each)) or "none", " " * len(label), label)
        packages = _package_words(each)
        indent = " " * len(label)
        if packages:
            yield ink.wrap(packages, indent, indent)
        kind = "made" if each.made else "adopted"
        told = f"Python {each.found.get('python')}, aligntune-core {each.found.get('core')}, {kind} {each.created[:10]}"
        yield ink.wrap(told, indent, indent)
        # in one line, however long, so that they can be copied
        yield f"{indent}python: {each.python}"
        yield f"{indent}lock:   {each.lock}"


def _backend_words(environment: Environment) -> Iterator[str]:
    for name, told in environment.found.get("backends", {}).items():
        state = "" if told["status"] == "ready" else f" ({told['status']}: {told['reason']})"
        yield f"{name} {told['version']}{state}"


def _values(each: Environment | Unusable) -> dict[str, Any]:
    if isinstance(each, Unusable):
        return {"usable": False, "reason": each.reason, "being_made": is_being_made(each.name), "folder": each.folder}
    told = {name: value for name, value in each.to_dict().items() if name not in {"format", "name"}}
    return {"usable": True, "folder": each.folder, "lock": each.lock, **told}


def _specification_lines(found: Specification, ink: Ink) -> Iterator[str]:
    def row(label: str, text: str) -> str:
        return ink.wrap(text, " " * 16, f"{label.ljust(14)}  ")

    told = found.to_dict()
    yield ink.style(f"The environment '{told['name']}' would hold", "bold")
    yield row("interpreter", told["interpreter"])
    for index, (name, place) in enumerate(told["distributions"].items()):
        yield row("" if index else "AlignTune", f"{name} from {place}")
    for index, each in enumerate(told["requirements"]):
        yield row("" if index else "requirements", each)
    if told["locked"] is not None:
        yield row("versions", f"the {len(told['locked'])} of {found.request.lock}, and no others")
    else:
        yield row("torch", told["torch"])
        if found.unseen:
            yield row("constraints", "those that the backend's distribution ships; it is fetched first")
        lines = told["constraints"]
        for index, each in enumerate(lines[:_CONSTRAINTS_SHOWN]):
            yield row("" if index or found.unseen else "constraints", each)
        if len(lines) > _CONSTRAINTS_SHOWN:
            yield row("", f"and {len(lines) - _CONSTRAINTS_SHOWN} more; --json has all of them")
    yield row("installer", told["installer"])
    settings = {name.replace("_", "-"): value for name, value in told["pip_configuration"].items()}
    if found.torch.index:
        settings["for torch"] = found.torch.index
    for index, (name, value) in enumerate(settings.items()):
        words = ", ".join(value) if isinstance(value, list) else str(value)
        yield row("" if index else "pip's settings", f"{name}: {words}")
    yield row("folder", told["folder"])


def _package_words(environment: Environment) -> str:
    return ", ".join(f"{name} {version}" for name, version in environment.found.get("packages", {}).items())


def _say_made(environment: Environment, *, json: bool) -> None:
    names = ", ".join(_backend_words(environment))
    lines = [
        f"The environment '{environment.name}' is ready, with {names}.",
        *(f"The engine's packages: {each}" for each in filter(None, [_package_words(environment)])),
        f"Its interpreter: {environment.python}",
    ]
    _write({environment.name: _values(environment)}, lines, json=json)


def _say(text: str) -> None:
    Ink(sys.stderr).say(text)


def _write(values: Mapping[str, Any], lines: Any, *, json: bool) -> None:
    if json:
        from aligntune_core.console.json_text import write_json

        write_json(values)
    else:
        sys.stdout.write("\n".join(lines) + "\n")
