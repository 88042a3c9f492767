"""What was found out about a job beyond its verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.events import DataReady
    from aligntune_core.plan import Plan


class Level(StrEnum):
    """How deep a check looks.

    ``fast`` reads the job, the tables and the names on the disk; ``data`` also the data, as the engine will see it;
    ``probe`` also loads the model and takes two steps.
    """

    FAST = "fast"
    DATA = "data"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an example's text as the model sees it, and whether it is learned from."""

    text: str
    learned: bool


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many tokens the examples have.

    Args:
        rows: Rows that were looked at, the first ones.
        shortest: Tokens of the shortest sequence.
        median: Tokens of the middle one.
        longest: Tokens of the longest.
        learned: Tokens that are learned from, of all that are left after cutting; 0 for prompts.
        tokens: All tokens that are left after cutting.
        cut: Rows of which something is cut off.
        left_out: Rows of which nothing is left to learn from.
        limit: Tokens after which a sequence is cut.
        context: Tokens the model was made for.
        more: Whether there are more rows than were looked at.
    """

    rows: int
    shortest: int
    median: int
    longest: int
    learned: int
    tokens: int
    cut: int = 0
    left_out: int = 0
    limit: int | None = None
    context: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """Two steps that were taken.

    Args:
        steps: Steps that were taken.
        losses: The losses that were logged.
        seconds: How long it took, loading the model included.
        device: Where the model was.
    """

    steps: int
    losses: tuple[float, ...]
    seconds: float
    device: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about a job.

    Args:
        level: How deep it was looked.
        plan: What the run would come to; None where the backend does not say.
        data: The datasets as they were read.
        lengths: Their examples' lengths in tokens; None where the backend does not say.
        example: The first example as the model sees it, by the name of each sequence of it.
        notes: What is decided for the user.
        trial: The steps that were taken.
    """

    level: Level = Level.FAST
    plan: Plan | None = None
    data: tuple[DataReady, ...] = ()
    lengths: Lengths | None = None
    example: tuple[tuple[str, tuple[Span, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    trial: Trial | None = None

    def to_dict(self) -> dict[str, Any]:
        """The examination as JSON-ready values."""
        return {
            "level": str(self.level),
            "plan": self.plan.to_dict() if self.plan else None,
            "data": [each.to_dict() for each in self.data],
            "lengths": asdict(self.lengths) if self.lengths else None,
            "example": [{"name": name, "spans": [asdict(span) for span in spans]} for name, spans in self.example],
            "notes": list(self.notes),
            "trial": asdict(self.trial) if self.trial else None,
        }
