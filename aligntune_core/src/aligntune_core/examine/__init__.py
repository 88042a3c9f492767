"""What can be known of a job before it trains: its data as the engine will see it, its arithmetic, two steps of it."""

from aligntune_core.examine.examination import Examination, Lengths, Level, Span, Trial
from aligntune_core.examine.examine import examine

__all__ = ["Examination", "Lengths", "Level", "Span", "Trial", "examine"]
