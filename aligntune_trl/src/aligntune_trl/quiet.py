"""The engine without its own progress bars and without warnings that no user of AlignTune can act on."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_FOR_USERS = (
    # drawn by TRL's own default of gradient_checkpointing
    r".*(gradient|activation)_checkpointing.* is deprecated",
    r".*`is_gradient_checkpointing` is deprecated",
    # drawn by transformers' own default on a machine without an accelerator
    r"'pin_memory' argument is set as true but no accelerator",
)


@contextmanager
def quiet_engine() -> Iterator[None]:
    """Silence datasets' and transformers' progress bars, and put their state back afterwards."""
    import datasets
    from transformers.utils import logging as transformers_logging

    dataset_bars = datasets.is_progress_bar_enabled()
    model_bars = transformers_logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for message in _NOT_FOR_USERS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        if dataset_bars:
            datasets.enable_progress_bars()
        if model_bars:
            transformers_logging.enable_progress_bar()
