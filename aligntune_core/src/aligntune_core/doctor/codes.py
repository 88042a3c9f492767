"""The codes of findings, each with how much it matters, where it belongs, what it says and why that matters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for.

    Args:
        level: ``ok``, ``warning``, or ``error`` for what stops a backend: where another one can train, that too is a
            warning.
        section: What it is about.
        meaning: What was found.
        why: Why it matters; empty where it is told for the record.
    """

    level: str
    section: str
    meaning: str
    why: str = ""


CODES = {
    "not-examined": Code("warning", "machine", "A part could not be looked at", "What it would say is not known."),
    "system": Code("ok", "machine", "The operating system, Python and AlignTune"),
    "cores": Code("ok", "machine", "The CPU cores that this process may use"),
    "memory": Code("ok", "machine", "Memory, in all and available"),
    "memory-low": Code(
        "warning", "machine", "Little memory is available", "Importing an engine and its smallest model takes 0.6 GiB."
    ),
    "disk": Code("ok", "machine", "Space for models and runs: in the working folder and the caches"),
    "disk-low": Code(
        "warning",
        "machine",
        "Little space is left on a disk",
        "Models are kept in the cache, and each checkpoint takes up to six times its model's size in 16 bits.",
    ),
    "folder-unwritable": Code(
        "warning", "machine", "A folder can't be written to", "Models or runs are written there."
    ),
    "settings": Code("ok", "machine", "The environment variables that matter; of secrets, only that they are set"),
    "gpu": Code("ok", "devices", "An NVIDIA GPU, its driver, and the precisions it trains in"),
    "no-gpu": Code("ok", "devices", "There is no NVIDIA GPU, and what the CPU does"),
    "gpu-hidden": Code(
        "error", "devices", "`CUDA_VISIBLE_DEVICES` hides every GPU", "Jobs do not run on a GPU that is hidden."
    ),
    "gpu-driver": Code(
        "error",
        "devices",
        "The driver of the GPUs can't be asked",
        "Without its driver a GPU trains nothing.",
    ),
    "gpu-busy": Code(
        "warning",
        "devices",
        "More than half of a GPU's memory is in use",
        "Training that would fit the GPU alone runs out of memory.",
    ),
    "torch": Code("ok", "devices", "The build of torch that is installed"),
    "torch-cpu-build": Code(
        "error",
        "devices",
        "There is a GPU, but torch is a build for CPUs",
        "Jobs are checked for the GPU, and torch can't use it.",
    ),
    "torch-newer-than-driver": Code(
        "error",
        "devices",
        "torch was built for a newer CUDA than the driver runs",
        "torch finds no GPU with a driver that is older than its CUDA.",
    ),
    "torch-without-gpu-code": Code(
        "error",
        "devices",
        "The build of torch has no code for this GPU",
        "The first calculation on the GPU fails: no kernel image is available.",
    ),
    "backend-ready": Code("ok", "backends", "A backend has all it needs, each package with its range"),
    "backend-absent": Code("ok", "backends", "A backend of this project that is not installed"),
    "backend-unmet": Code(
        "error",
        "backends",
        "Packages that a backend needs are missing or out of its range",
        "It was not made for others.",
    ),
    "backend-broken": Code("error", "backends", "A backend's plugin fails", "It can't be used."),
    "backend-disabled": Code("warning", "backends", "A backend is disabled by an environment variable"),
    "backend-heavy": Code("warning", "backends", "A backend imports an engine too early", "Every command is slow."),
    "backend-record": Code(
        "warning",
        "backends",
        "What a backend's distribution recorded of it can't be read, or is not what its plugin says",
        "Queries answer from it.",
    ),
    "backend-hook": Code(
        "warning",
        "backends",
        "A backend's plugin implements a hook that this core never calls, or one that goes",
        "What it does there is not done.",
    ),
    "algorithm-clash": Code(
        "warning",
        "backends",
        "What a backend means by an algorithm's name is not what the core or another backend means",
        "What clashes with the core is refused, and so is such a name where a job leaves its backend open.",
    ),
    "backend-job-key": Code(
        "warning", "backends", "A backend says that it takes a job key that there is not", "Jobs can't set it."
    ),
    "backend-side-effect": Code(
        "warning",
        "backends",
        "A backend's plugin prints, or changes the whole process",
        "It was undone: others would be hurt by it.",
    ),
    "backend-device": Code("error", "backends", "A backend does not train on the device that is here"),
    "backends-apart": Code(
        "warning",
        "backends",
        "What is installed suits one backend and not another",
        "They can't share this environment.",
    ),
    "no-backend": Code("error", "backends", "No backend is installed", "A backend is what trains."),
    "process-conflict": Code("error", "backends", "A module was imported that a backend can't live with"),
    "import-order": Code("error", "backends", "A module was imported before one that has to come first"),
    "packages-agree": Code("ok", "environment", "What the engines need, and what those need, agrees"),
    "package-conflict": Code(
        "warning",
        "environment",
        "A package is installed in a version that another one excludes",
        "What was never tried together fails anywhere, or is wrong and says nothing.",
    ),
    "package-missing": Code(
        "error", "environment", "A package that an engine needs is not installed", "Importing the engine fails."
    ),
    "process-clean": Code("ok", "environment", "Nothing imported an engine before AlignTune did"),
    "engines-imported": Code("ok", "environment", "Engines that this process had imported already"),
    "startup-imports": Code(
        "warning",
        "environment",
        "A file that Python runs at its start imports an engine",
        "It does so in every process: all of them start slowly, and an engine that rewrites others rewrites them.",
    ),
    "hub-reachable": Code("ok", "hub", "The hub answers"),
    "hub-unreachable": Code(
        "warning", "hub", "The hub does not answer", "Models and datasets that are not here yet can't be downloaded."
    ),
    "hub-offline": Code(
        "warning",
        "hub",
        "The hub may not be asked: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is set",
        "Models and datasets that are not here yet can't be downloaded.",
    ),
    "hub-not-asked": Code("ok", "hub", "The hub was not asked: `--offline`"),
    "hub-cache": Code("ok", "hub", "Where the hub's models and datasets are kept, and how much that takes"),
}
"""Every code that a finding of the core has; a backend's own problems bring codes of their own."""
