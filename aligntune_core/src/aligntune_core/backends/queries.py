"""What people and programs ask before they launch: what is supported, by whom, and whether a job would run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from aligntune_core.algorithms import Algorithm, Task, spelling
from aligntune_core.backends.meanings import meanings, own_meaning
from aligntune_core.backends.registry import Registry, registry
from aligntune_core.capabilities import Feature, Support
from aligntune_core.errors import AlignTuneError
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligntune_core.backends.backend import Backend

DEVICES = (Feature.CPU, Feature.CUDA)


class CapabilityRow(NamedTuple):
    """One cell of the support matrix, as its backend declares it."""

    backend: str
    algorithm: str
    task: str
    support: Support
    features: tuple[str, ...]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON-ready values."""
        return {
            "backend": self.backend,
            "algorithm": self.algorithm,
            "task": self.task,
            "support": str(self.support),
            "features": [str(feature) for feature in self.features],
            "note": self.note,
        }


def capabilities(
    *,
    backend: str | None = None,
    algorithm: str | None = None,
    task: str | None = None,
    device: str | None = None,
    features: str | Iterable[str] = (),
    usable: bool = False,
    backends: Registry | None = None,
) -> list[CapabilityRow]:
    """What every backend declares for every algorithm; nothing heavy is imported.

    Args:
        backend: Only this backend's rows.
        algorithm: Only this algorithm's rows, by name or alias.
        task: Only the algorithms of this task: ``sft``, ``preference``, ``reward``, ``online_rl`` or a plugin's own.
        device: Only what is declared on this device: ``cpu`` or ``cuda``.
        features: Only what is declared with all these features: names, or one text with commas between them.
        usable: Only what can be used in this environment, on the device that is here.
        backends: The registry to ask; this process's own if None.

    Raises:
        AlignTuneError: If there is no such backend, algorithm, task, device or feature.
    """
    known = backends or registry()
    wanted_backend = None if backend is None else _backend_name(backend, known)
    asked = _features(features, known, wanted_backend, device)
    # a backend that is named is the only one that is imported
    names = known.names() if wanted_backend is None else [wanted_backend]
    algorithms = known.algorithms(names)
    wanted = algorithms if algorithm is None else _algorithms(algorithm, known, wanted_backend)
    if task is not None:
        own = (each.task for name in names for each in known.brought(name))
        task = _choice("task", task, dict.fromkeys([*Task, *own]))
    here = _device_here() if usable else None
    rows = []
    for name in names:
        found = known.declared(name)
        if found.info is None:
            continue
        for each in (own_meaning(each, name, known) for each in wanted):
            if task is not None and each.task != task:
                continue
            if (asked or here) and _objection(found, each, asked, here, known):
                continue
            # one that was asked what can be used here may say another thing than was recorded of it
            info = (known.declared(name).info or found.info) if usable else found.info
            row = info.capability(each.name)
            rows.append(
                CapabilityRow(name, each.name, str(each.task), row.support, tuple(sorted(row.features)), row.note)
            )
    return rows


@dataclass(frozen=True, slots=True)
class FoundBackend:
    """A backend that declares what was asked for.

    Args:
        name: Its name, as a job's ``backend`` has it.
        usable: Whether it can be used for that in this environment, on the device that is here.
        reason: Why not; how far its support goes where it can.
    """

    name: str
    usable: bool
    reason: str

    def __str__(self) -> str:
        return self.name


def find_backends(
    algorithm: str | None = None,
    *,
    device: str | None = None,
    features: str | Iterable[str] = (),
    usable: bool = False,
    backends: Registry | None = None,
) -> list[FoundBackend]:
    """The backends that declare an algorithm with all these features, in the order ``backend="auto"`` prefers them.

    Declared is not the same as usable here: each says whether it is, and why not, by what is recorded of it. Those that
    can be used are ``[found.name for found in find_backends("grpo", usable=True)]``, which asks their plugins too.

    Args:
        algorithm: The algorithm's name or alias; any algorithm if None.
        device: The device it has to be declared on: ``cpu`` or ``cuda``; any if None.
        features: The features: names, or one text with commas between them.
        usable: Only the backends that can be used in this environment, on the device that is here.
        backends: The registry to ask; this process's own if None.

    Raises:
        AlignTuneError: If there is no such algorithm, device or feature.
    """
    known = backends or registry()
    asked = _features(features, known, None, device)
    wanted = known.algorithms(known.names()) if algorithm is None else _algorithms(algorithm, known)
    here = _device_here()
    found = []
    for name in known.names():
        backend = known.declared(name)
        meant = (own_meaning(each, name, known) for each in wanted)
        declared = [each for each in meant if not _objection(backend, each, asked)]
        if not declared:
            continue
        ask = known if usable or backend.plugin is not None else None
        objections = {each.name: _objection(backend, each, asked, here, ask) for each in declared}
        able = [each for each in declared if not objections[each.name]]
        if usable and not able:
            continue
        reason = _extent(backend, able) if able else objections[declared[0].name]
        found.append(FoundBackend(name, bool(able), reason))
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and why; true in a condition if yes."""

    yes: bool
    reason: str

    def __bool__(self) -> bool:
        return self.yes


def supports(
    backend: str, algorithm: str, *features: str, usable: bool = False, backends: Registry | None = None
) -> Answer:
    """Whether a backend declares that it trains an algorithm, with these features.

    Args:
        backend: The backend's name.
        algorithm: The algorithm's name or alias.
        *features: Names of features, e.g. ``lora``; a device, ``cpu`` or ``cuda``, is one.
        usable: Whether it also has to be usable in this environment, on the device that is here.
        backends: The registry to ask; this process's own if None.

    Returns:
        The answer with its reason: what stands against it, or how far the support goes and, where the backend can't be
        used here by what is recorded of it, why not. Only for ``usable`` is its plugin asked too.
    """
    known = backends or registry()
    try:
        found = known.declared(_backend_name(backend, known))
        wanted = _algorithms(algorithm, known, found.name)[0]
        asked = _features(features, known, found.name)
    except AlignTuneError as error:
        return Answer(False, str(error))
    declared = _objection(found, wanted, asked)
    ask = known if usable or found.plugin is not None else None
    unusable = _objection(found, wanted, asked, _device_here(), ask) if usable or not declared else ""
    objection = unusable if usable else declared
    if objection:
        return Answer(False, objection)
    return Answer(True, f"{_extent(found, [wanted])}{unusable and f' It is not usable here: {unusable}'}")


def _objection(
    backend: Backend,
    algorithm: Algorithm,
    asked: list[str],
    here: Feature | None = None,
    known: Registry | None = None,
) -> str:
    """Why not, in the words of the decision about jobs; empty if nothing stands against it.

    Args:
        backend: The backend.
        algorithm: What it should train.
        asked: The features, devices among them.
        here: The device that is here, if the backend has to be usable on it; None if declaring is enough.
        known: The registry it is of, if its plugin is to be asked too; it is imported for that.
    """
    from aligntune_core.backends.objections import declared_objection, diagnosed, feature_problems, objection
    from aligntune_core.problem import Severity

    problem = next(feature_problems(algorithm, asked), None)
    if here is None:
        problem = problem or declared_objection(backend, algorithm, asked)
        return problem.message if problem else ""
    if Feature.CUDA in asked and here is not Feature.CUDA:
        return _objection(backend, algorithm, asked) or "no CUDA GPU is here."
    asked = [*asked, here]
    problem = problem or next(feature_problems(algorithm, asked), None) or objection(backend, algorithm, asked)
    if problem is None and known is not None:
        backend = known.light(backend.name)
        problem = objection(backend, algorithm, asked)
    if problem is None and known is not None:
        problem = next((each for each in diagnosed(backend, known) if each.severity is Severity.ERROR), None)
    return problem.message if problem else ""


def _device_here() -> Feature:
    from aligntune_core.machine.devices import device

    return Feature(device())


def _extent(backend: Backend, algorithms: list[Algorithm]) -> str:
    """How far a backend's support of algorithms goes, as a sentence."""
    if backend.info is None or len(algorithms) != 1:
        return f"backend '{backend.name}' declares it for {', '.join(each.name for each in algorithms)}."
    row = backend.info.capability(algorithms[0].name)
    note = f": {row.note.rstrip('.')}" if row.note else ""
    return f"backend '{backend.name}' declares {row.support} support of '{row.algorithm}'{note}."


def _backend_name(name: object, known: Registry) -> str:
    return known.spelt(name) or _refuse("backend", name, did_you_mean(str(name), known.names()))


def _algorithms(name: object, known: Registry, backend: str | None = None) -> tuple[Algorithm, ...]:
    """What a name means: one algorithm, or several where backends mean different things by it."""
    found = tuple(meanings(name, known, backend))
    if found:
        return found
    names = known.names() if backend is None else [backend, *known.unimported()]
    return _refuse("algorithm", name, did_you_mean(str(name), [each.name for each in known.algorithms(names)]))


def _features(
    features: str | Iterable[str], known: Registry, backend: str | None, device: str | None = None
) -> list[str]:
    """The features that are asked for, devices among them.

    Args:
        features: Names, or one text with commas between them.
        known: The registry of the backends.
        backend: The backend that is asked of; all if None.
        device: A device.
    """
    names = [name for name in features.split(",") if name.strip()] if isinstance(features, str) else features
    asked = [_feature(name, known, backend) for name in names]
    if device is not None:
        # a close match of 'gpu' would be 'cpu'
        asked.append(_choice("device", device, DEVICES, f"Known: {', '.join(DEVICES)}."))
    return list(dict.fromkeys(asked))


def _feature(name: object, known: Registry, backend: str | None) -> str:
    # backends only where that is not enough, since it may import their plugins
    for names in ((), known.names() if backend is None else [backend, *known.unimported()]):
        features = _every_feature(names, known)
        if spelling(str(name)) in features:
            return spelling(str(name))
    return _choice("feature", name, features)


def _every_feature(backends: Iterable[str], known: Registry) -> list[str]:
    """The core's features, and those that the backends declare besides."""
    infos = [known.declared(name).info for name in backends]
    own = {feature for info in infos if info for row in info.capabilities for feature in row.features}
    return [*Feature, *sorted(own - set(Feature))]


def _choice(kind: str, name: object, choices: Iterable[str], fix: str = "") -> str:
    known = [str(each) for each in choices]
    found = spelling(str(name))
    return found if found in known else _refuse(kind, name, fix or did_you_mean(str(name), known))


def _refuse(kind: str, name: object, fix: str) -> NoReturn:
    raise AlignTuneError(f"there is no {kind} '{name}'.", fix=fix)
