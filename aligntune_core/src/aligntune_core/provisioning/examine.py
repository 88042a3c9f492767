"""Looking at an environment again: what is not as it was recorded, and how to mend it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_version
from aligntune_core.backends.recorded import RecordError, differences, from_values
from aligntune_core.capabilities import CONTRACT_VERSION
from aligntune_core.environments.known import Unusable, every_environment
from aligntune_core.errors import SetupError
from aligntune_core.problem import Severity
from aligntune_core.provisioning.probe import ask, lock_lines, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_core.environments.environment import Environment

_MOST = 5
"""Distributions that differ, of which a message names no more."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was recorded, or can't work.

    Args:
        code: A stable name in kebab case, e.g. ``checkout-moved``.
        message: What it is.
        fix: How to mend it.
        severity: Whether the environment's backends can't be used, or are only suspect.
    """

    code: str
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found when an environment was looked at again.

    Args:
        name: Its name.
        problems: What is not as it was recorded, or can't work.
    """

    name: str
    problems: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Whether its backends can be used."""
        return all(each.severity is not Severity.ERROR for each in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """What was found, as JSON-ready values."""
        problems = [
            {"code": each.code, "severity": str(each.severity), "message": each.message, "fix": each.fix}
            for each in self.problems
        ]
        return {"ok": self.ok, "problems": problems}


def examine_all(only: str = "") -> list[Examined]:
    """What is not as it was recorded, of every environment.

    Args:
        only: The one to look at; all if empty.

    Raises:
        SetupError: If there is none of that name.
    """
    found = [each for each in every_environment() if only in {"", each.name}]
    if only and not found:
        raise SetupError(f"there is no environment '{only}'.", fix="`aligntune env list` has their names.")
    return [
        Examined(each.name, tuple(_left_over(each) if isinstance(each, Unusable) else examine(each))) for each in found
    ]


def examine(environment: Environment) -> Iterator[Difference]:
    """What is not as it was recorded, and what can't work.

    Args:
        environment: The environment; its interpreter is asked again.
    """
    again = f"Make it anew: aligntune env update {environment.name}"
    if not environment.made:
        again = f"Once that is mended, record what is there: aligntune env update {environment.name}"
    if not os.path.exists(environment.python):
        message = f"its interpreter '{environment.python}' is gone."
        if os.path.islink(environment.python):
            message = (
                f"its interpreter '{environment.python}' leads to '{os.readlink(environment.python)}', which is gone."
            )
        fix = (
            again if environment.made else f"Adopt another one: aligntune env remove {environment.name}, then env add."
        )
        yield Difference("interpreter-missing", message, fix)
        return
    moved = list(_moved(environment))
    yield from moved
    if moved:
        return
    try:
        told = ask(environment)
    except SetupError as error:
        yield Difference("interpreter-fails", error.message, error.fix or again)
        return
    now = summary(told)
    yield from _core(environment, now, again)
    yield from _backends(environment, now, again)
    yield from _packages(environment, told)


def _left_over(left: Unusable) -> Iterator[Difference]:
    fix = f"Make it with `aligntune env create {left.name}`, or: aligntune env remove {left.name}"
    yield Difference("unfinished", f"{left.reason}.", fix)


def _moved(environment: Environment) -> Iterator[Difference]:
    """The checkouts that it runs from and that are not where they were."""
    for name, each in environment.found.get("ours", {}).items():
        direct = each.get("direct_url") or {}
        if not direct.get("dir_info", {}).get("editable"):
            continue
        from urllib.parse import unquote, urlparse

        folder = unquote(urlparse(str(direct.get("url", ""))).path)
        if not os.path.isdir(folder):
            fix = f"Say where it is now: aligntune env update {environment.name} --source FOLDER"
            yield Difference("checkout-moved", f"it runs {name} from the checkout '{folder}', which is gone.", fix)


def _core(environment: Environment, now: Mapping[str, Any], again: str) -> Iterator[Difference]:
    here, there = installed_version("aligntune-core") or "", str(now["core"])
    if now["contract"] != CONTRACT_VERSION:
        message = f"its core speaks version {now['contract']} of the contract, and this one {CONTRACT_VERSION}."
        yield Difference("contract-apart", message, again)
    elif there != here:
        message = f"it has aligntune-core {there}, and {here} runs here."
        yield Difference("core-apart", message, again, severity=Severity.WARNING)
    before = environment.found.get("python")
    if now["python"] != before:
        message = f"its interpreter is Python {now['python']}, and was {before}."
        yield Difference("python-changed", message, again, severity=Severity.WARNING)


def _backends(environment: Environment, now: Mapping[str, Any], again: str) -> Iterator[Difference]:
    for name, before in environment.found.get("backends", {}).items():
        after = now["backends"].get(name)
        if after is None:
            yield Difference("backend-gone", f"backend '{name}' is no longer installed in it.", again)
        elif after["status"] != "ready" and before["status"] == "ready":
            yield Difference("backend-gone", f"backend '{name}' is {after['status']} in it: {after['reason']}.", again)
        elif after["status"] == "ready":
            apart = _apart(before, after)
            if apart:
                message = f"backend '{name}' says otherwise than recorded in {apart}; queries answer from the record."
                fix = f"Record it anew: aligntune env update {environment.name}"
                yield Difference("backend-changed", message, fix, severity=Severity.WARNING)


def _apart(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if "recorded" not in before:
        return "everything"
    try:
        return ", ".join(differences(from_values(before["recorded"]), from_values(after["recorded"])))
    except RecordError as error:
        return f"a way that can't be read here ({error})"


def _packages(environment: Environment, told: Mapping[str, Any]) -> Iterator[Difference]:
    try:
        before = set(Path(environment.lock).read_text(encoding="utf-8").splitlines())
    except OSError as error:
        yield Difference("lock-missing", f"its lock can't be read: {error}.", severity=Severity.WARNING)
        return
    after = set(lock_lines(told))
    apart = [
        *(f"{line} is gone" for line in sorted(before - after)),
        *(f"{line} is new" for line in sorted(after - before)),
    ]
    if apart:
        more = f" and {len(apart) - _MOST} more" if len(apart) > _MOST else ""
        fix = f"Record what is there, or make it as it was: aligntune env update {environment.name}"
        if environment.made:
            fix = f"Make it as it was: aligntune env update {environment.name} --lock {environment.lock}"
        message = f"what is installed in it is not what was: {'; '.join(apart[:_MOST])}{more}."
        yield Difference("packages-changed", message, fix, severity=Severity.WARNING)
