"""Which build of torch an environment gets: the one that runs here, unless another is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import installed_version
from aligntune_core.errors import SetupError
from aligntune_core.provisioning.constraints import TORCH_BOUND, named, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aligntune_core.provisioning.pip_settings import PipSettings

WHEELS = "https://download.pytorch.org/whl/"
"""Where PyTorch keeps its builds: a package index for each, e.g. ``cpu`` and ``cu130``."""


@dataclass(frozen=True, slots=True)
class TorchChoice:
    """Which torch an environment gets.

    Args:
        told: The choice in words.
        constraints: The lines that see to it.
        index: A further package index that has it; empty where none is needed.
    """

    told: str
    constraints: tuple[str, ...]
    index: str = ""


def choose_torch(asked: str, shipped: Sequence[str], settings: PipSettings) -> tuple[TorchChoice, tuple[str, ...]]:
    """The torch that an environment gets, and the constraints without what contradicts that.

    Args:
        asked: ``cpu``, ``cuda``, a version, or empty for the one that runs here.
        shipped: The constraints that the backend was tested with.
        settings: What pip is told to do here.

    Raises:
        SetupError: If ``asked`` is none of them.
    """
    pinned = next((line.partition("==")[2] for line in shipped if named(line) == "torch"), "")
    here = installed_version("torch") or ""
    if asked == "cpu":
        base = pinned.partition("+")[0]
        version = here if here.endswith("+cpu") else f"{base}+cpu" if base else ""
        choice = _of(version, "built for CPUs", settings, "cpu")
    elif asked == "cuda":
        base = (pinned or here).partition("+")[0]
        lines = (f"torch=={base},!={base}+cpu",) if base else ()
        choice = TorchChoice(f"{base} built for CUDA".strip(), lines)
    elif asked:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)+[0-9a-z.]*(\+[a-z0-9.]+)?", asked):
            raise SetupError(f"there is no torch '{asked}'.", fix="Say cpu, cuda or a version, e.g. 2.11.0+cu130.")
        choice = _of(asked, "as asked", settings)
    elif here:
        choice = _of(here, "the build that runs here", settings)
    elif pinned:
        return TorchChoice(f"{pinned}, which the backend was tested with", ()), tuple(shipped)
    else:
        return TorchChoice("the newest that is found", ()), tuple(shipped)
    chosen = choice.constraints[0].partition("==")[2].partition(",")[0] if choice.constraints else ""
    if pinned and chosen and chosen.partition("+")[0] != pinned.partition("+")[0]:
        told = f"{choice.told}; the backend was tested with {pinned}"
        return TorchChoice(told, choice.constraints, choice.index), without(shipped, TORCH_BOUND)
    return choice, without(shipped, ("torch",))


def _of(version: str, told: str, settings: PipSettings, label: str = "") -> TorchChoice:
    label = label or version.partition("+")[2]
    known = re.fullmatch(r"cpu|cu\d+|rocm[\d.]+|xpu", label)
    found = settings.no_index or (version and _lies_in(version, settings.find_links))
    lines = (f"torch=={version}",) if version else ()
    return TorchChoice(f"{version}, {told}".lstrip(", "), lines, "" if found or not known else f"{WHEELS}{label}")


def _lies_in(version: str, folders: Iterable[str]) -> bool:
    beginning = (f"torch-{version}-", f"torch-{version.replace('+', '%2B')}-")
    for folder in folders:
        path = Path(folder.removeprefix("file://"))
        if path.is_dir() and any(each.name.startswith(beginning) for each in path.iterdir()):
            return True
    return False
