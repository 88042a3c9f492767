"""What a type checker needs to see that a plugin's hooks take and give what the contract asks for.

A module can be held against a protocol. The author of a plugin asserts that it is a backend's, and that each further
hook is what it should be, by naming the protocols of the hooks that it has::

    if TYPE_CHECKING:
        from aligntune_acme import plugin

        class Acme(BackendPlugin, HasSettings, HasCheckJob, Protocol): ...

        checked: Acme = plugin

A hook may take fewer arguments than its specification and in any order, so long as it calls them by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from pydantic import BaseModel

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.capabilities import BackendInfo
    from aligntune_core.data.formats.table import Format
    from aligntune_core.encoding import Encoding
    from aligntune_core.events import Event, Listener
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan
    from aligntune_core.problem import Problem
    from aligntune_core.trainer import Trainer

R_co = TypeVar("R_co", covariant=True)

PROTOCOLS = {
    "aligntune_backend_info": "BackendPlugin",
    "aligntune_create_trainer": "BackendPlugin",
    "aligntune_algorithms": "HasAlgorithms",
    "aligntune_settings": "HasSettings",
    "aligntune_job_keys": "HasJobKeys",
    "aligntune_formats": "HasFormats",
    "aligntune_check_job": "HasCheckJob",
    "aligntune_plan_job": "HasPlanJob",
    "aligntune_encoding": "HasEncoding",
    "aligntune_diagnose": "HasDiagnose",
    "aligntune_trainer_created": "HasTrainerCreated",
    "aligntune_run_event": "HasRunEvent",
}
"""The protocol of each hook."""


def protocols_of(plugin: object) -> tuple[str, ...]:
    """The protocols that a plugin is to be held against: those of the hooks that it has.

    Args:
        plugin: The plugin's module.
    """
    return tuple(dict.fromkeys(name for hook, name in PROTOCOLS.items() if hasattr(plugin, hook)))


class OfNothing(Protocol[R_co]):
    """A hook that takes no argument."""

    def __call__(self) -> R_co:
        """Call it."""


class OfJob(Protocol[R_co]):
    """A hook that takes the job alone."""

    def __call__(self, *, job: Job) -> R_co:
        """Call it."""


class OfAlgorithm(Protocol[R_co]):
    """A hook that takes the name of an algorithm."""

    def __call__(self, *, algorithm: str) -> R_co:
        """Call it."""


class OfProbe(Protocol[R_co]):
    """A hook that takes ``probe`` alone."""

    def __call__(self, *, probe: bool) -> R_co:
        """Call it."""


class OfJobAndProbe(Protocol[R_co]):
    """A hook that takes the job and ``probe``."""

    def __call__(self, *, job: Job, probe: bool) -> R_co:
        """Call it."""


class OfRows(Protocol[R_co]):
    """A hook that takes the number of rows alone."""

    def __call__(self, *, rows: int | None) -> R_co:
        """Call it."""


class OfJobAndRows(Protocol[R_co]):
    """A hook that takes the job and the number of rows."""

    def __call__(self, *, job: Job, rows: int | None) -> R_co:
        """Call it."""


class OfEmit(Protocol[R_co]):
    """A hook that takes ``emit`` alone."""

    def __call__(self, *, emit: Listener) -> R_co:
        """Call it."""


class OfJobAndEmit(Protocol[R_co]):
    """A hook that takes the job and ``emit``."""

    def __call__(self, *, job: Job, emit: Listener) -> R_co:
        """Call it."""


class OfTrainer(Protocol[R_co]):
    """A hook that takes the trainer alone."""

    def __call__(self, *, trainer: Trainer) -> R_co:
        """Call it."""


class OfJobAndTrainer(Protocol[R_co]):
    """A hook that takes the job and the trainer."""

    def __call__(self, *, job: Job, trainer: Trainer) -> R_co:
        """Call it."""


class OfEvent(Protocol[R_co]):
    """A hook that takes the event alone."""

    def __call__(self, *, event: Event) -> R_co:
        """Call it."""


class OfJobAndEvent(Protocol[R_co]):
    """A hook that takes the job and the event."""

    def __call__(self, *, job: Job, event: Event) -> R_co:
        """Call it."""


if TYPE_CHECKING:
    _Problems: TypeAlias = Iterable[Problem] | None
    _Model: TypeAlias = type[BaseModel] | None
    _ByProbe: TypeAlias = OfNothing[_Problems] | OfJob[_Problems] | OfProbe[_Problems] | OfJobAndProbe[_Problems]
    _ByRows: TypeAlias = OfNothing[Plan | None] | OfJob[Plan | None] | OfRows[Plan | None] | OfJobAndRows[Plan | None]
    _ToEncoding: TypeAlias = (
        OfNothing[Encoding | None] | OfJob[Encoding | None] | OfEmit[Encoding | None] | OfJobAndEmit[Encoding | None]
    )
    _ToTrainer: TypeAlias = OfNothing[Trainer] | OfJob[Trainer] | OfEmit[Trainer] | OfJobAndEmit[Trainer]
    _Hearing: TypeAlias = OfNothing[object] | OfJob[object] | OfEvent[object] | OfJobAndEvent[object]
    _Observing: TypeAlias = OfNothing[object] | OfJob[object] | OfTrainer[object] | OfJobAndTrainer[object]


class BackendPlugin(Protocol):
    """A module with the two hooks that every backend needs."""

    @property
    def aligntune_backend_info(self) -> OfNothing[BackendInfo]:
        """Says what the backend is."""

    @property
    def aligntune_create_trainer(self) -> _ToTrainer:
        """Makes the trainer."""


class HasAlgorithms(Protocol):
    """A module that brings algorithms."""

    @property
    def aligntune_algorithms(self) -> OfNothing[Iterable[Algorithm] | None]:
        """Brings algorithms."""


class HasSettings(Protocol):
    """A module that describes its settings."""

    @property
    def aligntune_settings(self) -> OfNothing[_Model] | OfAlgorithm[_Model]:
        """Describes what ``backend_args`` may hold."""


class HasJobKeys(Protocol):
    """A module that brings job keys."""

    @property
    def aligntune_job_keys(self) -> OfNothing[_Model]:
        """Brings keys at the top level of a job."""


class HasFormats(Protocol):
    """A module that brings data formats."""

    @property
    def aligntune_formats(self) -> OfNothing[Iterable[Format] | None]:
        """Brings data formats."""


class HasCheckJob(Protocol):
    """A module that checks jobs."""

    @property
    def aligntune_check_job(self) -> _ByProbe:
        """Finds the problems of a job."""


class HasPlanJob(Protocol):
    """A module that works out runs."""

    @property
    def aligntune_plan_job(self) -> _ByRows:
        """Works out what a run would come to."""


class HasEncoding(Protocol):
    """A module that says how rows become tokens."""

    @property
    def aligntune_encoding(self) -> _ToEncoding:
        """Says how rows become tokens."""


class HasDiagnose(Protocol):
    """A module that says what stands in the way here."""

    @property
    def aligntune_diagnose(self) -> OfNothing[_Problems]:
        """Finds what stands in the way of all its jobs."""


class HasTrainerCreated(Protocol):
    """A module that observes trainers."""

    @property
    def aligntune_trainer_created(self) -> _Observing:
        """Observes that a trainer was made."""


class HasRunEvent(Protocol):
    """A module that observes runs."""

    @property
    def aligntune_run_event(self) -> _Hearing:
        """Observes what a run tells."""
