"""What the failures of the `datasets` package mean, in words that say what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aligntune_core.errors import DataError
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def no_split(name: str, split: str, splits: Iterable[str]) -> DataError:
    """The error of a split that a dataset doesn't have."""
    known = list(splits)
    first = known[0] if known else "train"
    return DataError(
        f"{name} has no split '{split}'; it has {', '.join(known) or 'none'}.",
        fix=f"Name one of them, or a part of one like {first}[:10%].",
    )


def bad_split(name: str, split: str) -> DataError:
    """The error of a split that isn't written as one."""
    return DataError(
        f"'{split}' is no split of {name}: it can't be read.", fix="Write it like train, train[:100] or train[10%:20%]."
    )


def explain_hub(error: BaseException, name: str, split: str) -> DataError:
    """What it means that a dataset of the hub can't be loaded.

    Args:
        error: What was raised.
        name: The dataset as the job names it.
        split: The split that was asked for.
    """
    text = " | ".join(str(link) for link in _chain(error))
    kinds = {type(link).__name__ for link in _chain(error)}
    repo = name.partition(":")[0]
    known = [part.strip(" '\"") for part in _listed(text)]
    if "gated" in text or "GatedRepoError" in kinds:
        return DataError(
            f"the dataset '{repo}' is gated: its owner must let you in.",
            fix=f"Ask for access at https://huggingface.co/datasets/{repo} and log in with `hf auth login`.",
        )
    if "Config name is missing" in text:
        example = known[0] if known else "CONFIG"
        return DataError(
            f"the dataset '{name}' has several configs: {', '.join(known)}.", fix=f"Name one, e.g. '{repo}:{example}'."
        )
    if "BuilderConfig" in text and "not found" in text:
        wanted = name.partition(":")[2]
        return DataError(f"the dataset '{repo}' has no config '{wanted}'.", fix=did_you_mean(wanted, known))
    if "Unknown split" in text or "Bad split" in text:
        return no_split(f"the dataset '{name}'", split, known)
    if "Unrecognized instruction format" in text:
        return bad_split(f"the dataset '{name}'", split)
    if "Dataset scripts are no longer supported" in text:
        return DataError(
            f"the dataset '{repo}' is a script, and scripts are not run.",
            fix="Use a version of it in parquet or json files.",
        )
    if "OfflineModeIsEnabled" in text or "ConnectionError" in kinds or "offline mode" in text:
        return DataError(
            f"the dataset '{repo}' is not on this machine, and the hub can't be reached.",
            fix="Check the name and the network (HF_HUB_OFFLINE must not be set), or name a local file.",
        )
    if kinds & {"DatasetNotFoundError", "RepositoryNotFoundError", "DataFilesNotFoundError", "HFValidationError"}:
        return DataError(
            f"the hub has no dataset '{repo}' that can be loaded, or not for you; a local path '{repo}' isn't there.",
            fix="Check the spelling (owner/name); for a private one log in with `hf auth login`.",
        )
    return DataError(f"the dataset '{name}' can't be loaded: {_last_words(error)}.", fix="See the exception above.")


def explain_local(error: BaseException, path: str) -> DataError:
    """What it means that local files in which every line can be read can't be loaded."""
    kinds = {type(link).__name__ for link in _chain(error)}
    if kinds & {
        "CastError",
        "DatasetGenerationCastError",
        "ArrowInvalid",
        "ArrowTypeError",
        "ArrowNotImplementedError",
    }:
        return DataError(
            f"the rows of '{path}' don't have the same columns and types throughout: {_last_words(error)}.",
            fix="Make every row have the same columns, each with one type.",
        )
    return DataError(f"'{path}' can't be loaded: {_last_words(error)}.", fix="See the exception above.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _last_words(error: BaseException) -> str:
    last = list(_chain(error))[-1]
    return f"{type(last).__name__}: {' '.join(str(last).split())[:300]}".rstrip(".: ")


def _listed(text: str) -> list[str]:
    found = re.search(r"\[([^\[\]]*)\]", text)
    return [part for part in found[1].split(",") if part.strip()] if found else []
