"""Making environments: aside, under a name that nobody looks for, until the record names it."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.environments.environment import RECORD, Environment
from aligntune_core.environments.folder import checked_name, environments_folder
from aligntune_core.environments.holding import IN_USE, making, unused
from aligntune_core.environments.known import read_environment
from aligntune_core.errors import SetupError
from aligntune_core.provisioning.filling import fill
from aligntune_core.provisioning.probe import ask, lock_lines, summary
from aligntune_core.provisioning.request import Request, from_asked
from aligntune_core.provisioning.specification import Specification, specify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Say = Callable[[str], object]


def _quiet(text: str) -> None:
    del text


def create(request: Request, say: Say = _quiet) -> Environment:
    """Make an environment; where another process is making it already, that one's is taken.

    Args:
        request: What it is made from.
        say: Called with a sentence for each step.

    Raises:
        SetupError: If there is one of that name, or it can't be made. Nothing is left of it then.
    """
    specification = specify(request)
    waited = []

    def wait() -> None:
        waited.append(True)
        say("Another process is making it; waiting.")

    with making(request.name, wait) as lock:
        there = read_environment(specification.folder)
        if isinstance(there, Environment):
            if waited and dict(there.asked) == request.to_dict():
                say("The other process made it.")
                return there
            raise SetupError(
                f"there is an environment '{request.name}' already.",
                fix=f"Make it anew with `aligntune env update {request.name}`, or choose another name.",
            )
        if there is not None:
            say("What is left of a making that was interrupted is removed.")
        sweep(specification.folder)
        return _make(specification, lock, say)


def update(name: str, changes: Mapping[str, Any], say: Say = _quiet) -> Environment:
    """Make an environment anew beside the old one, then let it take that one's place; one that is used meanwhile stays.

    An environment that was adopted is looked at again, and not changed.

    Args:
        name: Its name.
        changes: Fields of ``Request`` that are to be other than they were.
        say: Called with a sentence for each step.

    Raises:
        SetupError: If there is none, or it can't be made. The old one is as it was then.
    """
    with making(checked_name(name), lambda: say("Another process is changing it; waiting.")) as lock:
        there = read_environment(os.path.join(environments_folder(), name))
        if not isinstance(there, Environment):
            state = f"can't be read: {there.reason}" if there else "is not there"
            raise SetupError(f"the environment '{name}' {state}.", fix=f"Make it: aligntune env create {name}")
        if there.made:
            request = from_asked(name, there.asked).with_changes(**changes)
            made = _make(specify(request), lock, say)
        elif any(changes.values()):
            raise SetupError(
                f"'{name}' was adopted, and what is in it is not AlignTune's to change.",
                fix="Change it yourself, and then run `aligntune env update` without options.",
            )
        else:
            made = adopt(there, say)
        for left in sweep(there.folder, keep=made.generation):
            say(f"A process still uses the old one: '{left}' stays until the next update.")
        return made


def adopt(environment: Environment, say: Say = _quiet) -> Environment:
    """Record what an interpreter that exists says of itself; it is not changed. The caller holds the lock.

    Args:
        environment: The environment; its generation and what was found are set here.
        say: Called with a sentence for each step.

    Raises:
        SetupError: If its interpreter can't be used, or no backend in it can.
    """
    say(f"Asking '{environment.python}' what is in it.")
    told = ask(environment)
    if not any(each["status"] == "ready" for each in told["backends"].values()):
        raise SetupError(f"no backend can be used with '{environment.python}': {_reasons(told)}.")
    generation = _generation()
    os.makedirs(os.path.join(environment.folder, generation))
    return _write(replace(environment, generation=generation, created=_now(), found=summary(told)), told)


def sweep(folder: str, keep: str = "") -> list[str]:
    """Remove the generations that do not count and that nobody uses; those that stay. The caller holds the lock.

    Args:
        folder: The environment's folder.
        keep: The generation that counts.
    """
    left = []
    for each in sorted(Path(folder).glob("*/")) if os.path.isdir(folder) else ():
        if each.name != keep and each.is_dir():
            with unused(str(each)) as free:
                if free:
                    shutil.rmtree(each, ignore_errors=True)
                else:
                    left.append(str(each))
    return left


def _make(specification: Specification, lock: int, say: Say) -> Environment:
    request, generation = specification.request, _generation()
    place = os.path.join(specification.folder, generation)
    os.makedirs(place)
    Path(place, IN_USE).touch()
    try:
        python = fill(specification, place, lock, say)
        made = Environment(
            request.name, specification.folder, generation, python, True, _now(), asked=request.to_dict()
        )
        say("Asking it what is in it.")
        told = ask(made)
        _judge(specification, told)
        return _write(replace(made, found=summary(told)), told)
    except BaseException as error:
        _clear(place, specification.folder)
        if isinstance(error, KeyboardInterrupt):
            say("Interrupted; nothing is left of it.")
        raise


def _judge(specification: Specification, told: Mapping[str, Any]) -> None:
    """Whether what was made is what was asked for.

    Raises:
        SetupError: If one of AlignTune's distributions came from elsewhere, or the backend can't be used.
    """
    strange = [name for name, each in summary(told)["ours"].items() if "direct_url" not in each]
    if strange:
        raise SetupError(f"{' and '.join(strange)} came from a package index, and is not AlignTune's there.")
    name, backends = specification.request.name, told["backends"]
    wanted = backends.get(name)
    able = wanted["status"] == "ready" if wanted else any(each["status"] == "ready" for each in backends.values())
    if not able:
        raise SetupError(f"no backend can be used in what was made: {_reasons(told)}.")


def _write(environment: Environment, told: Mapping[str, Any]) -> Environment:
    """Write the lock and then the record, whose renaming is the moment from which the environment counts."""
    import json

    Path(environment.place, IN_USE).touch()
    Path(environment.lock).write_text("".join(f"{line}\n" for line in lock_lines(told)), encoding="utf-8")
    aside = Path(environment.place, RECORD)
    with aside.open("w", encoding="utf-8") as file:
        file.write(json.dumps(environment.to_dict(), indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.rename(Path(environment.folder, RECORD))
    return environment


def _clear(place: str, folder: str) -> None:
    shutil.rmtree(place, ignore_errors=True)
    try:
        os.rmdir(folder)
    except OSError:  # there is an older generation in it
        return


def _reasons(told: Mapping[str, Any]) -> str:
    found = [f"'{name}' is {each['status']}: {each['reason']}" for name, each in told["backends"].items()]
    return "; ".join(found) or "no backend is installed in it"


def _generation() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
