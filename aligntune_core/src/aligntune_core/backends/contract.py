"""Whether what a plugin declares keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import ALGORITHMS, Algorithm, find_algorithm
from aligntune_core.capabilities import CONTRACT_VERSION, OLDEST_CONTRACT, BackendInfo
from aligntune_core.errors import BackendError
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    rows = [row.algorithm for row in info.capabilities]
    twice = sorted({algorithm for algorithm in rows if rows.count(algorithm) > 1})
    if twice:
        raise BackendError(f"its table has more than one row for {', '.join(twice)}")
    return info


def check_algorithms(info: BackendInfo, brought: list[Algorithm], others: Mapping[str, tuple[Algorithm, ...]]) -> None:
    """See that a backend's algorithms are its own, and that its table has rows for algorithms alone.

    Args:
        info: What its plugin says of it.
        brought: The algorithms that it brings.
        others: Those that other backends bring, by the backends' names.

    Raises:
        BackendError: If they are not.
    """
    owners = {each.name: (each, owner) for owner, theirs in others.items() for each in theirs}
    for algorithm in brought:
        if not isinstance(algorithm, Algorithm):
            raise BackendError(f"aligntune_algorithms gave a {type(algorithm).__name__}, not an Algorithm")
        if find_algorithm(algorithm.name):
            raise BackendError(f"it brings an algorithm '{algorithm.name}', which the core has already")
        other, owner = owners.get(algorithm.name, (algorithm, ""))
        if other != algorithm:
            raise BackendError(
                f"it brings an algorithm '{algorithm.name}', which '{owner}' brings with another meaning"
            )
    names = {algorithm.name for algorithm in (*ALGORITHMS, *brought)}
    for row in info.capabilities:
        if row.algorithm not in names:
            hint = did_you_mean(row.algorithm, names)
            raise BackendError(f"its table has a row for '{row.algorithm}', which is no algorithm. {hint}")
