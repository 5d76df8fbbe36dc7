"""A progress bar for long work: files, bytes, rate, time left (CLI-10)."""

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WORTH_A_BAR = 32 << 20


class Bar:
    """Appears once there is enough to read that somebody may wait for it; rich is imported only
    then.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._files = self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def start(self, files: int, size: int) -> None:
        if size < WORTH_A_BAR:
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._files = files
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._description(), total=size)
        self._bar.start()

    def read(self, size: int) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, advance=size)

    def file_done(self) -> None:
        self._done += 1
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=self._description())

    def _description(self) -> str:
        return f"{self._done:,} of {self._files:,} files"
