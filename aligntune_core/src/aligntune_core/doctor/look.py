"""Looking at everything that may stand in the way of training here."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import installed_version
from aligntune_core.backends.registry import Registry, registry
from aligntune_core.doctor.backends import standing_findings
from aligntune_core.doctor.disk import disk_findings
from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.doctor.gpus import gpu_findings
from aligntune_core.doctor.hub import Call, hub_endpoint, hub_finding, offline_setting
from aligntune_core.doctor.hub_cache import cache_finding
from aligntune_core.doctor.machine import machine_findings
from aligntune_core.doctor.packages import installed_package, package_findings, reached
from aligntune_core.doctor.redaction import Redaction
from aligntune_core.doctor.report import Report, report
from aligntune_core.doctor.settings import settings_finding
from aligntune_core.doctor.startup import startup_findings
from aligntune_core.doctor.torch_build import torch_build, torch_findings
from aligntune_core.machine.devices import device as job_device
from aligntune_core.machine.devices import nvidia, visible
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aligntune_core.doctor.packages import Package


def doctor(*, network: bool = True, backends: Registry | None = None) -> Report:
    """What stands in the way of training on this machine and in this environment; no engine is imported.

    No token, password or name of the user's folder is in what it tells.

    Args:
        network: Whether the hub may be asked.
        backends: The registry to look at; this process's own if None.
    """
    imported = frozenset(sys.modules)
    endpoint, offline = hub_endpoint(), offline_setting()
    call = Call(endpoint) if network and not offline else None
    known = backends or registry()
    # hundreds of files are read for it, each once
    find = cache(installed_package)
    parts: dict[str, Callable[[], Iterable[Finding]]] = {
        "the machine": machine_findings,
        "the disks": disk_findings,
        "the settings": lambda: [settings_finding()],
        "the devices": lambda: _device_findings(known, find),
        "the backends": lambda: standing_findings(known, job_device()),
        "the packages": lambda: package_findings(_engines(known), find),
        "this process": lambda: startup_findings(imported),
        "the hub": lambda: [hub_finding(endpoint, offline, call)],
        "the hub's cache": lambda: [cache_finding()],
    }
    clean = Redaction()
    found = [clean.finding(each) for name, part in parts.items() for each in _contained(name, part)]
    ready = [name for name, backend in known.all().items() if backend.ready]
    return report(installed_version("aligntune-core") or "", job_device(), ready, found)


def _contained(name: str, part: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a part finds; where it fails, that is found, and the other parts are looked at all the same."""
    found: list[Finding] = []
    try:
        found.extend(part())
    except Exception as error:
        message = f"{name} could not be looked at: {described(error)}."
        found.append(finding("not-examined", message, fix="Report it with what stands above.", subject=name))
    return found


def _device_findings(known: Registry, find: Callable[[str], Package | None]) -> Iterator[Finding]:
    driver, chosen = nvidia(), os.environ.get("CUDA_VISIBLE_DEVICES")
    need_torch = tuple(name for name, needs in _engines(known).items() if "torch" in reached(needs, find))
    yield from gpu_findings(driver, chosen, need_torch if job_device() == "cuda" else ())
    yield from torch_findings(torch_build(), visible(driver.gpus, chosen), driver.cuda, need_torch)


def _engines(known: Registry) -> dict[str, tuple[str, ...]]:
    """What each backend needs that lives here, of those whose plugins can be read."""
    here = {name: backend for name, backend in known.all().items() if not backend.environment}
    return {name: backend.info.requirements for name, backend in here.items() if backend.info}
