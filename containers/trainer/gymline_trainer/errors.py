"""What the user can mend. Every message says what is wrong, where, and what to do; it never quotes content."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_FAULTS = 20


class TrainerError(Exception):
    """One clear line: `place: message`. A program prints it and exits with 1.

    place: what it is about, such as a file, `file:line` or an option; empty where there is none.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place


class ConfigError(TrainerError):
    """An option that cannot be used. place: the option's name, or the file it stands in."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the data.

    row: line of a JSON Lines file, or number of a Parquet row, both from 1; None where it is about the whole file.
    id: the trajectory, where the row names one.
    """

    file: str
    row: int | None
    what: str
    remedy: str
    id: str | None = None

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        who = "" if self.id is None else f" ({self.id[:16]})"
        return f"{place}{who}: {self.what}; {self.remedy}"


class DataError(TrainerError):
    """The data cannot be trained on. faults: everything that was found, the first `SHOWN_FAULTS` of it in the message."""

    def __init__(self, faults: Sequence[Fault], more: int = 0) -> None:
        """more: faults that were counted and not kept."""
        shown = list(faults[:SHOWN_FAULTS])
        rest = len(faults) - len(shown) + more
        lines = [str(fault) for fault in shown]
        if rest > 0:
            lines.append(f"… and {rest} more")
        super().__init__("\n".join(lines))
        self.faults = list(faults)
        self.count = len(faults) + more


class Faults:
    """Collects faults, so that one run names all of them. Keeps at most `kept` and counts the rest."""

    def __init__(self, kept: int = 1000) -> None:
        self.kept: list[Fault] = []
        self.count = 0
        self._limit = kept

    def add(self, fault: Fault) -> None:
        self.count += 1
        if len(self.kept) < self._limit:
            self.kept.append(fault)

    def raise_if_any(self) -> None:
        if self.count > 0:
            raise DataError(self.kept, self.count - len(self.kept))
