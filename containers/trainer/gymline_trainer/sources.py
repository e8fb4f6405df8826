"""Where datasets come from: a version's folder, one file, or either in S3; what the manifest says is checked."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Fault, Faults
from .provenance import sha256

SCHEMAS = ("gymline.dataset.v1", "gymline.dataset.v2")
EXPORT_ANEW = "export the dataset anew with `gymline export`, or copy it again"


@dataclass(frozen=True)
class DataFile:
    """A file on this machine. name: as messages give it. rows: as the manifest says, None without one. sha256: of what it holds."""

    path: Path
    name: str
    rows: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Version:
    """A dataset version, or a file by itself: then `manifest` is None."""

    files: tuple[DataFile, ...]
    manifest: dict[str, Any] | None
    # Name and version of the dataset, or the file's name and hash.
    name: str
    version: str
    manifest_sha256: str | None = None


def cache_folder() -> Path:
    """Where downloads and encoded sequences are kept: `GYMLINE_TRAINER_CACHE`, else `~/.cache/gymline-trainer`."""
    named = os.environ.get("GYMLINE_TRAINER_CACHE")
    return Path(named) if named else Path.home() / ".cache/gymline-trainer"


def known_as(place: str) -> str:
    """A folder that was fetched into the cache by its address in S3; any other place as it is."""
    fetched = cache_folder() / "s3"
    path = Path(place)
    return f"s3://{path.relative_to(fetched).as_posix()}" if path.is_relative_to(fetched) else place


def open_version(source: str, split: str, faults: Faults) -> Version | None:
    """The files of one split, checked against the manifest; None where nothing can be read, with the reason in `faults`.

    source: a folder with a manifest, a `.jsonl` or `.parquet` file, or `s3://bucket/key` of either.
    """
    if source.startswith("s3://"):
        from .s3 import download

        source = str(download(source, split, cache_folder()))
    path = Path(source)
    if path.is_file():
        digest = sha256(path)
        return Version((DataFile(path, path.name, sha256=digest),), None, path.stem, digest[:12])
    manifest = _read_manifest(path, faults)
    if manifest is None:
        return None
    listed = split_files(manifest, split, str(path), faults)
    files = [_checked(path, entry, faults) for entry in listed]
    there = tuple(file for file in files if file is not None)
    return Version(there, manifest, manifest["name"], manifest["version"], sha256(path / "manifest.json")) if there else None


def split_files(manifest: dict[str, Any], split: str, where: str, faults: Faults) -> list[dict[str, Any]]:
    listed = [entry for entry in manifest["files"] if entry["split"] == split]
    if not listed:
        splits = ", ".join(sorted({entry["split"] for entry in manifest["files"]})) or "none"
        faults.add(Fault(where, None, f"it has no split `{split}`", f"it has: {splits}"))
    return listed


def _read_manifest(folder: Path, faults: Faults) -> dict[str, Any] | None:
    path = folder / "manifest.json"
    if not folder.exists():
        faults.add(Fault(str(folder), None, "there is no such file or folder", "give a dataset version's folder, or a file"))
        return None
    if not path.exists():
        versions = sorted(child.name for child in folder.iterdir() if (child / "manifest.json").exists())
        remedy = f"name one of its versions: {', '.join(versions[:5])}" if versions else EXPORT_ANEW
        faults.add(Fault(str(folder), None, "it has no manifest.json, so it is no finished dataset version", remedy))
        return None
    return parse_manifest(path.read_bytes(), str(path), faults)


def parse_manifest(data: bytes, name: str, faults: Faults) -> dict[str, Any] | None:
    try:
        manifest = json.loads(data)
        schema = manifest["schema"]
        for entry in manifest["files"]:
            if not all(isinstance(entry[key], of) for key, of in _LISTED.items()):
                raise TypeError
            if Path(entry["path"]).is_absolute() or ".." in Path(entry["path"]).parts:
                raise ValueError
        for key in ("name", "version", "format"):
            if not isinstance(manifest[key], str):
                raise TypeError
    except (ValueError, KeyError, TypeError):
        faults.add(Fault(name, None, "it is no manifest of a dataset", EXPORT_ANEW))
        return None
    if schema not in SCHEMAS:
        faults.add(Fault(name, None, f"its schema is not {' or '.join(SCHEMAS)}", "use the trainer of the version that exported it"))
        return None
    return manifest


_LISTED = {"path": str, "split": str, "rows": int, "bytes": int, "sha256": str}


def _checked(folder: Path, entry: dict[str, Any], faults: Faults) -> DataFile | None:
    path = folder / entry["path"]
    if not path.is_file():
        faults.add(Fault(str(path), None, "the manifest lists it, but it is not there", EXPORT_ANEW))
        return None
    size = path.stat().st_size
    if size != entry["bytes"]:
        faults.add(Fault(str(path), None, f"it has {size} bytes, {entry['bytes']} in the manifest", EXPORT_ANEW))
        return None
    if sha256(path) != entry["sha256"]:
        faults.add(Fault(str(path), None, "its SHA-256 is not the one in the manifest: it was changed", EXPORT_ANEW))
        return None
    return DataFile(path, str(path), entry["rows"], entry["sha256"])
