"""What a type checker holds the plugin's hooks against: that each takes and gives what the contract asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    from aligntune_core import plugin_types as has
    from aligntune_minimal import plugin

    class Hooks(
        has.BackendPlugin,
        has.HasAlgorithms,
        has.HasSettings,
        has.HasCheckJob,
        has.HasPlanJob,
        has.HasEncoding,
        Protocol,
    ): ...

    checked: Hooks = plugin
