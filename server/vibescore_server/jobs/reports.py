"""What a run of a job came to."""

from msgspec import Struct


class Report(Struct):
    """The outcome of a job, as it is answered, printed and logged."""

    @property
    def succeeded(self) -> bool:
        """Whether all of it was done."""
        return True
