"""Whether what a plugin declares keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import ALGORITHMS, Algorithm
from aligntune_core.capabilities import CONTRACT_VERSION, OLDEST_CONTRACT, BackendInfo
from aligntune_core.errors import BackendError
from aligntune_core.job_keys import JOB_KEYS
from aligntune_core.wording import closest, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aligntune_core.problem import Problem


def checked_info(name: str, info: object) -> BackendInfo:
    """What a plugin says of its backend, if that is what the contract asks for.

    Args:
        name: The name of its entry point.
        info: What its plugin returned.

    Raises:
        BackendError: If it is something else.
    """
    if not isinstance(info, BackendInfo):
        raise BackendError(f"aligntune_backend_info returned {type(info).__name__}, not BackendInfo")
    oldest, newest = info.contracts
    if oldest > CONTRACT_VERSION:
        raise BackendError(
            f"its plugin needs version {oldest} of the contract; this core has {CONTRACT_VERSION}: install a newer "
            "aligntune-core, or an older release of the plugin"
        )
    if newest < OLDEST_CONTRACT:
        raise BackendError(
            f"its plugin was written for version {newest} of the contract; this core speaks none before "
            f"{OLDEST_CONTRACT}: install a newer release of the plugin"
        )
    if info.name != name:
        raise BackendError(f"its plugin calls itself '{info.name}', but its entry point is '{name}'")
    odd_keys = [key for key in info.job_keys or () if not isinstance(key, str)]
    if odd_keys:
        raise BackendError(f"its job_keys have {shown(odd_keys[0])}, which is no text")
    for module in (*info.conflicts, *(each for order in info.import_order for each in (order.first, *order.before))):
        if not all(part.isidentifier() for part in module.split(".")):
            raise BackendError(f"its conflicts or import_order name {shown(module)}, which is no module")
    rows = [row.algorithm for row in info.capabilities]
    twice = sorted({algorithm for algorithm in rows if rows.count(algorithm) > 1})
    if twice:
        raise BackendError(f"its table has more than one row for {', '.join(twice)}")
    return info


def check_algorithms(info: BackendInfo, brought: Iterable[object]) -> None:
    """See that what a backend brings are algorithms, and that its table has rows for algorithms alone.

    Args:
        info: What its plugin says of it.
        brought: The algorithms that it brings.

    Raises:
        BackendError: If they are not.
    """
    names = {algorithm.name for algorithm in ALGORITHMS}
    for algorithm in brought:
        if not isinstance(algorithm, Algorithm):
            raise BackendError(f"aligntune_algorithms gave a {type(algorithm).__name__}, not an Algorithm")
        if not isinstance(algorithm.aliases, tuple):
            raise BackendError(f"the aliases of its algorithm '{algorithm.name}' are no tuple of names")
        for name in (algorithm.name, *algorithm.aliases):
            if not _is_word(name):
                raise BackendError(f"it brings an algorithm {shown(name)}, which is no name: write it like 'this_one'")
        names.add(algorithm.name)
    for row in info.capabilities:
        if row.algorithm not in names:
            hint = did_you_mean(row.algorithm, names) if _is_word(row.algorithm) else ""
            raise BackendError(f"its table has a row for '{row.algorithm}', which is no algorithm. {hint}".rstrip())


def job_key_notes(info: BackendInfo) -> Iterator[Problem]:
    """The job keys that a backend says it takes and that no job has: misspelt, or of another core.

    Args:
        info: What its plugin says of it.
    """
    for key in sorted(info.job_keys - JOB_KEYS if info.job_keys else ()):
        from aligntune_core.problem import Problem, Severity

        match = closest(key, JOB_KEYS)
        fix = f"Did you mean '{match}'?" if match else "No job of this core can have it."
        words = f"its job_keys name '{key}', which is no job key"
        yield Problem("backend-job-key", words, fix, "backend", Severity.WARNING)


def _is_word(name: str) -> bool:
    return len(name) <= _LONGEST and name.replace("_", "").isalnum()


_LONGEST = 60
