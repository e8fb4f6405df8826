"""Checkpoints: folders that are whole or not there.

A checkpoint is written beside, as `.tmp-…`, brought to disk, and renamed; the last file in it, `complete.json`, lists the
hashes of all others. So whatever kills a run leaves the checkpoint before. What is found is checked against its hashes;
one that is not whole is named and passed over.

With `s3://` the folder on this machine stays the first place, and a copy goes to S3, `complete.json` last; what is not here
is fetched from there.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import TrainerError
from .provenance import sha256
from .s3_folder import S3Folder

SCHEMA = "gymline.checkpoint.v1"
_STEP = re.compile(r"step-(\d{8,})")


class CorruptCheckpointError(TrainerError):
    """A checkpoint that is not whole."""


@dataclass(frozen=True)
class Checkpoint:
    path: Path
    step: int


class Checkpoints:
    """The checkpoints of a run. warn: gets one line for each that is passed over."""

    def __init__(self, folder: Path, *, keep: int = 3, remote: S3Folder | None = None, warn: Callable[[str], None] = print) -> None:
        """keep: how many of the newest stay. remote: where copies go."""
        self.folder = folder
        self._keep = keep
        self._remote = remote
        self._warn = warn

    def save(self, step: int, write: Callable[[Path], None]) -> Path:
        """write: fills the folder it is given."""
        path = self.put(f"step-{step:08}", write)
        self._prune()
        return path

    def put(self, name: str, write: Callable[[Path], None]) -> Path:
        """A folder of another name, such as the best model, in the same way; it stays until it is put again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        beside = self.folder / f".tmp-{name}-{os.getpid()}"
        beside.mkdir()
        write(beside)
        _seal(beside)
        path = self.folder / name
        if path.exists():
            # Moved away first: what is half removed must not bear the name.
            os.rename(path, self.folder / f".tmp-old-{name}-{os.getpid()}")
        os.rename(beside, path)
        _to_disk(self.folder)
        self._sweep()
        if self._remote is not None:
            self._remote.upload(path, name, last="complete.json")
        return path

    def newest(self) -> Checkpoint | None:
        """The newest that is whole, here or in S3."""
        for step, name in sorted(self._steps(), reverse=True):
            found = self.get(name)
            if found is not None:
                return Checkpoint(found, step)
        return None

    def get(self, name: str) -> Path | None:
        """The folder of this name, if it is whole; fetched where only S3 has it."""
        path = self.folder / name
        if path.exists():
            try:
                verify(path)
                return path
            except CorruptCheckpointError as error:
                self._warn(f"{error}; it is passed over")
        if self._remote is None or not self._remote.has(f"{name}/complete.json"):
            return None
        return self._fetched(name, self._remote)

    def _fetched(self, name: str, remote: S3Folder) -> Path | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        beside = self.folder / f".tmp-{name}-{os.getpid()}"
        remote.download(name, beside)
        try:
            verify(beside, f"{remote.url}/{name}")
        except CorruptCheckpointError as error:
            self._warn(f"{error}; it is passed over")
            shutil.rmtree(beside)
            return None
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        os.rename(beside, path)
        return path

    def clear(self) -> None:
        """Takes away all that a run has put here, for one that begins anew."""
        self._sweep()
        for name in self._names():
            if _STEP.fullmatch(name) or name == "reference" or name.startswith("best-"):
                self._remove(name)

    def keep_only(self, prefix: str, name: str | None) -> None:
        """Of the folders whose names begin with `prefix`, this one alone."""
        for other in self._names():
            if other.startswith(prefix) and other != name:
                self._remove(other)

    def _names(self) -> set[str]:
        here = [child.name for child in self.folder.iterdir()] if self.folder.is_dir() else []
        return {*here, *(self._remote.folders() if self._remote is not None else [])}

    def _steps(self) -> Iterator[tuple[int, str]]:
        for name in self._names():
            found = _STEP.fullmatch(name)
            if found is not None:
                yield int(found[1]), name

    def _prune(self) -> None:
        for _, name in sorted(self._steps(), reverse=True)[self._keep :]:
            self._remove(name)

    def _remove(self, name: str) -> None:
        if self._remote is not None:
            self._remote.remove(name, first="complete.json")
        path = self.folder / name
        if path.exists():
            # What is half removed must not look like a checkpoint.
            gone = self.folder / f".tmp-old-{name}-{os.getpid()}"
            os.rename(path, gone)
            shutil.rmtree(gone)

    def _sweep(self) -> None:
        """Takes away what a killed run has left. One run at a time has a folder."""
        for child in self.folder.glob(".tmp-*"):
            shutil.rmtree(child, ignore_errors=True)


def _seal(folder: Path) -> None:
    """Brings all to disk, then writes the list of hashes."""
    listed = {}
    for path in sorted(child for child in folder.rglob("*") if child.is_file()):
        listed[str(path.relative_to(folder))] = {"sha256": sha256(path), "bytes": path.stat().st_size}
        _to_disk(path)
    for child in [child for child in folder.rglob("*") if child.is_dir()]:
        _to_disk(child)
    with (folder / "complete.json").open("w") as file:
        json.dump({"schema": SCHEMA, "files": listed}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _to_disk(folder)


def verify(folder: Path, name: str | None = None) -> None:
    """name: how messages call it. Raises CorruptCheckpointError with the first file that is not as it was written."""
    place = name or str(folder)
    try:
        value = json.loads((folder / "complete.json").read_text())
        listed = {str(path): (str(entry["sha256"]), int(entry["bytes"])) for path, entry in value["files"].items()}
        if value["schema"] != SCHEMA:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptCheckpointError("the checkpoint is not whole: it has no readable complete.json", place) from error
    for path, (digest, size) in listed.items():
        file = folder / path
        if not file.is_file() or file.stat().st_size != size or sha256(file) != digest:
            raise CorruptCheckpointError(f"the checkpoint is not whole: {path} is missing or was changed", place)


def _to_disk(path: Path) -> None:
    """A file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
