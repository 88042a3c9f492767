"""What ``backend_args`` may hold: the settings of the engine that are no job keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class Arguments(BaseModel):
    """The engine's own settings, for every algorithm."""

    adam_betas: tuple[Decay, Decay] = Field((0.9, 0.999), description="Decay rates of AdamW's running averages")


class UnlikelihoodArguments(Arguments):
    """And those that only unlikelihood training has."""

    unlikelihood_weight: float = Field(
        1.0, ge=0, allow_inf_nan=False, description="What a bad answer's loss counts; a good answer's counts 1"
    )


ARGUMENTS: dict[str, type[Arguments]] = {"sft": Arguments, "unlikelihood": UnlikelihoodArguments}
"""The settings of each algorithm."""
