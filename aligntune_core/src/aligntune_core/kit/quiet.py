"""The engine without its own progress bars and without warnings that no user of AlignTune can act on."""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aligntune_core.machine.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_NOT_FOR_USERS = (
    # drawn by TRL's own default of gradient_checkpointing
    r".*(gradient|activation)_checkpointing.* is deprecated",
    r".*`is_gradient_checkpointing` is deprecated",
    # drawn by transformers' own default on a machine without an accelerator
    r"'pin_memory' argument is set as true but no accelerator",
)


_LOGGERS = ("transformers.trainer", "transformers.trainer_utils")


class _NotForUsers(logging.Filter):
    """Drops what transformers logs of a trainer that is as it should be.

    Args:
        tied: The names of weights that a checkpoint holds under another name.
    """

    def __init__(self, tied: AbstractSet[str]) -> None:
        super().__init__()
        self._tied = tied

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("There were missing keys in the checkpoint model loaded"):
            return not set(re.findall(r"'([^']+)'", text)) <= self._tied
        if text.startswith("Warning: The following arguments do not match the ones in the `trainer_state.json`"):
            # the intervals are the job's own again before the first step
            return "per_device_train_batch_size" in text
        return not text.startswith("mtime may not be reliable on this filesystem")


@contextmanager
def quiet_engine(tied: AbstractSet[str] = frozenset()) -> Iterator[None]:
    """Silence the engine's progress bars and false alarms, and put everything back afterwards.

    Args:
        tied: The names of the model's weights that a checkpoint holds under another name.
    """
    with large_import():
        import datasets
        from transformers.utils import logging as transformers_logging

    dataset_bars = datasets.is_progress_bar_enabled()
    model_bars = transformers_logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    unwanted = _NotForUsers(tied)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(unwanted)
    try:
        with warnings.catch_warnings():
            for message in _NOT_FOR_USERS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(unwanted)
        if dataset_bars:
            datasets.enable_progress_bars()
        if model_bars:
            transformers_logging.enable_progress_bar()
