"""A stand-in for Unsloth: whoever imports it finds TRL's classes rewritten, as with the real one."""

from __future__ import annotations

import os

import trl

__version__ = "2026.10.9"

os.environ["UNSLOTH_IS_PRESENT"] = "1"

for _name in ("SFTTrainer", "DPOTrainer"):
    _original = getattr(trl, _name)
    setattr(trl, _name, type(f"Unsloth{_name}", (_original,), {"__module__": f"Unsloth{_name}"}))
