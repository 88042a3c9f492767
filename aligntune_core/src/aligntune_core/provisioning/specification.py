"""What an environment would hold: worked out before anything is made, so that it can be shown."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.backend import KNOWN_BACKENDS
from aligntune_core.backends.installed import normalised
from aligntune_core.backends.origins import OURS, Origin, is_ours, origin_of
from aligntune_core.environments.folder import checked_name, environments_folder
from aligntune_core.errors import SetupError
from aligntune_core.provisioning.constraints import named, shipped, without
from aligntune_core.provisioning.installers import Installer, find_installer
from aligntune_core.provisioning.pip_settings import PipSettings, pip_settings, without_password
from aligntune_core.provisioning.torch_choice import TorchChoice, choose_torch
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligntune_core.provisioning.request import Request


@dataclass(frozen=True, slots=True)
class Specification:
    """What an environment would hold.

    Args:
        request: What it is made from.
        folder: The folder that will belong to it.
        interpreter: The interpreter that it is for.
        installer: What makes it.
        ours: Where each of AlignTune's distributions that it needs is to be had.
        requirements: What else is asked for.
        constraints: The versions that are not to be departed from.
        torch: Which torch it gets.
        settings: What pip is told to do here.
        locked: The lines of the lock file; None where versions are chosen anew.
        unseen: Whether the backend's distribution has to be fetched before the versions that it was tested with are
            known.
    """

    request: Request
    folder: str
    interpreter: str
    installer: Installer
    ours: tuple[Origin, ...]
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    torch: TorchChoice
    settings: PipSettings
    locked: tuple[str, ...] | None = None
    unseen: bool = False

    def to_dict(self) -> dict[str, Any]:
        """What it would hold, as JSON-ready values without passwords."""
        return {
            "name": self.request.name,
            "folder": self.folder,
            "interpreter": self.interpreter,
            "installer": str(self.installer),
            "distributions": {each.distribution: str(each) for each in self.ours},
            "requirements": [without_password(each) for each in self.requirements],
            "constraints": list(self.constraints),
            "constraints_known": not self.unseen,
            "torch": self.torch.told,
            "torch_index": self.torch.index,
            "pip_configuration": self.settings.to_dict(),
            "locked": None if self.locked is None else list(self.locked),
        }


def specify(request: Request) -> Specification:
    """What an environment would hold; nothing is made and nothing fetched.

    Args:
        request: What it is made from.

    Raises:
        SetupError: If that can't be made, or it can't be known where AlignTune's distributions are.
    """
    name = checked_name(request.name)
    installer, settings = find_installer(request.installer), pip_settings()
    locked = _lock_lines(request.lock) if request.lock else None
    distributions, requirements = _wanted(request) if locked is None else _locked_ones(locked, request.lock)
    ours = _origins(distributions, request.source, settings)
    target = _target(ours, requirements)
    tested = without(shipped(target), map(named, request.extras)) if target else ()
    torch, tested = choose_torch(request.torch, tested, settings)
    mine = torch.constraints if "torch" not in map(named, request.extras) else ()
    return Specification(
        request,
        os.path.join(environments_folder(), name),
        _interpreter(request.python),
        installer,
        ours,
        (*requirements, *request.extras),
        (*_held_off(ours, request.source, settings), *mine, *tested),
        torch,
        settings,
        None if locked is None else tuple(line for line in locked if not is_ours(_distribution(line))),
        unseen=not target or not os.path.exists(target),
    )


def with_tested(specification: Specification, lines: Iterable[str]) -> tuple[str, ...]:
    """The constraints, where the backend's distribution had to be fetched first.

    Args:
        specification: What the environment holds.
        lines: The versions that the backend was tested with.
    """
    request = specification.request
    tested = without(lines, map(named, request.extras))
    _, tested = choose_torch(request.torch, tested, specification.settings)
    return (*specification.constraints, *tested)


def _wanted(request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The distributions of AlignTune that are needed, the backend's last, and what else is."""
    asked = request.requirement
    known = KNOWN_BACKENDS.get(request.name)
    if not asked:
        if known is None:
            nearest = did_you_mean(request.name, KNOWN_BACKENDS)
            fix = f"Say where its distribution is: --from FILE.whl, a folder, a URL or a name. {nearest}"
            raise SetupError(f"'{request.name}' is no backend of this project.", fix=fix)
        return known.distributions, ()
    plain = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*(?![/\\:])", asked)
    path = Path(asked).expanduser()
    if path.exists() or path.suffix == ".whl":
        if not path.exists():
            raise SetupError(f"there is no '{asked}'.", fix="Name a wheel, a folder, a URL or a distribution.")
        return ("aligntune-core",), (str(path.absolute()),)
    if plain and is_ours(plain[0]):
        for each in KNOWN_BACKENDS.values():
            if each.distribution == normalised(plain[0]):
                return each.distributions, ()
        raise SetupError(f"'{asked}' brings no backend.", fix="Name the distribution of one.")
    return ("aligntune-core",), (asked,)


def _origins(distributions: Iterable[str], source: str, settings: PipSettings) -> tuple[Origin, ...]:
    found = {each: origin_of(each, source, map(_local, settings.find_links)) for each in distributions}
    lost = [name for name, origin in found.items() if origin is None]
    if lost:
        names = " and ".join(f"'{name}'" for name in lost)
        verb = "are" if len(lost) > 1 else "is"
        where = f"not at '{source}'" if source else "on no package index, and nothing here says where to get it"
        raise SetupError(
            f"AlignTune's {'distributions' if len(lost) > 1 else 'distribution'} {names} {verb} {where}.",
            fix="Say where it is with --source: a folder with its wheels, a checkout of AlignTune, or the URL of a "
            "package index that has it.",
        )
    return tuple(origin for origin in found.values() if origin)


def _held_off(ours: Iterable[Origin], source: str, settings: PipSettings) -> list[str]:
    """Constraints that keep AlignTune's other distributions from coming from an index that has their names."""
    lines = []
    for name in OURS:
        if all(each.distribution != name for each in ours):
            origin = origin_of(name, source, map(_local, settings.find_links))
            lines.append(origin.requirement if origin and not origin.index else f"{name}<0")
    return lines


def _target(ours: tuple[Origin, ...], requirements: tuple[str, ...]) -> str:
    """The place of the backend's own distribution."""
    if requirements:
        return requirements[0] if os.path.exists(requirements[0]) else ""
    return "" if ours[-1].index else ours[-1].place


def _interpreter(asked: str) -> str:
    if not asked:
        return str(getattr(sys, "_base_executable", "") or sys.executable)
    found = shutil.which(os.path.expanduser(asked))
    if not found:
        raise SetupError(f"there is no interpreter '{asked}'.", fix="Name a path, or a program such as python3.12.")
    return os.path.abspath(found)


def _lock_lines(file: str) -> tuple[str, ...]:
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the lock file '{file}' can't be read: {error}.") from error
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _locked_ones(lines: Iterable[str], file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The distributions of AlignTune that a lock has: they come from where they are here, in this version."""
    there = {normalised(_distribution(line)) for line in lines}
    found = tuple(each for each in OURS if each in there)
    if "aligntune-core" not in found:
        raise SetupError(f"'{file}' is no lock of an environment: aligntune-core is not in it.")
    return found, ()


def _distribution(line: str) -> str:
    """The distribution that a line of a lock is about; an editable one has it in its comment."""
    return named(line.partition("#")[2] if line.startswith("--editable") else line)


def _local(place: str) -> str:
    return place.removeprefix("file://")
