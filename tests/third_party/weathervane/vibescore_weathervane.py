"""A weathervane for Quill: reads no logs, only guesses by what is used around that time."""

from vibescore import Slot, Timeline, hookimpl


@hookimpl
def vibescore_backfill_model(slot: Slot, timeline: Timeline) -> str | None:
    """Quill's unknown tokens take the dominant model of Codex's nearest half-hour."""
    nearest = timeline.nearest("codex", slot.start) if slot.source == "quill" else None
    return timeline.dominant(nearest) if nearest else None
