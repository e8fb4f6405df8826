"""Reads a dataset and finds everything that is wrong with it, before a tokenizer or a model is loaded.

Rows are read twice: once to check them all, and again whenever they are asked for. So memory holds one row, and of the
groups of offline GRPO their rewards.
"""

import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .checks import EXPORT_ANEW, Needs, RawRow, Report, id_of, sample_of
from .columns import ALGORITHMS, TARGETS, Target, target_of_columns, target_of_format
from .errors import Fault, Faults, TrainerError
from .samples import Pair, Sample, Trajectory
from .sources import DataFile, Version, open_version


@dataclass
class Group:
    """Attempts at one task. size: as the rows say, None where they do not. steps: rewards of all their trained steps."""

    file: str
    row: int
    size: Any
    rewards: list[float] = field(default_factory=list)
    steps: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(frozen=True)
class Dataset:
    """Rows of one split that were found good. groups: of offline GRPO, in the order of the rows."""

    source: str
    split: str
    target: Target
    version: Version
    needs: Needs
    rows: int
    groups: dict[str, Group] = field(default_factory=dict)
    mean_margin: float | None = None

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Sample]:
        for file in self.version.files:
            for raw in raw_rows(file, _changed(file)):
                sample = sample_of(raw, self.target, self.needs, _changed_row(raw))
                if sample is not None:
                    yield sample


def open_dataset(source: str, algorithm: str, split: str = "train", needs: Needs = Needs()) -> Dataset:
    """The rows of a split. Raises DataError with every fault there is.

    source: a dataset version's folder, a `.jsonl` or `.parquet` file, or either in S3. algorithm: sft, dpo, grpo or prm.
    """
    if algorithm not in ALGORITHMS:
        raise TrainerError(f"there is no algorithm `{algorithm}`; there are {', '.join(ALGORITHMS)}")
    faults = Faults()
    version = open_version(source, split, faults)
    target = None if version is None else _target(version, algorithm, faults)
    if version is None or target is None:
        faults.raise_if_any()
        raise TrainerError("it has no rows", source)
    tally = _Tally()
    for file in version.files:
        _check_file(file, target, needs, faults, tally)
    if algorithm == "grpo":
        _check_groups(tally, faults)
    if tally.rows == 0 and faults.count == 0:
        faults.add(Fault(source, None, f"split `{split}` has no rows", EXPORT_ANEW))
    faults.raise_if_any()
    margin = tally.margins / tally.rows if tally.margins > 0 else None
    return Dataset(source, split, target, version, needs, tally.rows, tally.groups, margin)


@dataclass
class _Tally:
    rows: int = 0
    margins: float = 0.0
    groups: dict[str, Group] = field(default_factory=dict)


def _target(version: Version, algorithm: str, faults: Faults) -> Target | None:
    """What the rows are, where the algorithm takes such."""
    wanted = ALGORITHMS[algorithm]
    place = version.files[0].name
    remedy = f"{algorithm} takes rows of target {' or '.join(f'`{name}`' for name in wanted)}: `gymline export --target {wanted[0]}`"
    if version.manifest is not None:
        format = version.manifest["format"]
        target = target_of_format(format)
        if target is None or target.name not in wanted:
            faults.add(Fault(version.name, None, f"it is a dataset of format `{format}`, which is not for {algorithm}", remedy))
            return None
        return target
    columns = next((raw.value.keys() for raw in raw_rows(version.files[0], lambda *_: None)), None)
    if columns is None:
        faults.add(Fault(place, None, "it has no rows that can be read", EXPORT_ANEW))
        return None
    target = target_of_columns(columns)
    if target is not None and target.name in wanted:
        return target
    # A column that is missing or misspelt is named row by row.
    if target is None and any(set(columns) & set(TARGETS[name].required) for name in wanted):
        return max((TARGETS[name] for name in wanted), key=lambda of: len(set(columns) & set(of.required)))
    known = "unknown rows" if target is None else f"rows of target `{target.name}`"
    faults.add(Fault(place, None, f"it holds {known}, which are not for {algorithm}", remedy))
    return None


def _check_file(file: DataFile, target: Target, needs: Needs, faults: Faults, tally: _Tally) -> None:
    count = 0

    def unreadable(row: int, what: str) -> None:
        nonlocal count
        count += 1
        faults.add(Fault(file.name, row, what, EXPORT_ANEW))

    for raw in raw_rows(file, unreadable):
        count += 1
        named = id_of(raw)
        own = None if named.startswith(f"{raw.file}:") else named
        report: Report = lambda what, remedy: faults.add(Fault(raw.file, raw.row, what, remedy, own))
        sample = sample_of(raw, target, needs, report)
        tally.rows += 1
        if isinstance(sample, Pair):
            tally.margins += sample.margin or 0.0
        name = raw.value.get("group")
        if target.name == "grpo-offline" and isinstance(name, str):
            group = tally.groups.setdefault(name, Group(file.name, raw.row, raw.value.get("group_size")))
            # A row that has a fault counts, so that its group is not called torn as well.
            group.rewards.append(sample.reward or 0.0 if isinstance(sample, Trajectory) else 0.0)
            if isinstance(sample, Trajectory):
                pairs = zip(sample.step_rewards, sample.trained)
                group.steps.extend(reward for reward, is_trained in pairs if is_trained and reward is not None)
    if file.rows is not None and file.rows != count:
        faults.add(Fault(file.name, None, f"it has {count} rows, {file.rows} in the manifest", EXPORT_ANEW))


def _check_groups(tally: _Tally, faults: Faults) -> None:
    for name, group in tally.groups.items():
        file, row, there = group.file, group.row, len(group.rewards)
        if isinstance(group.size, int) and group.size != there:
            remedy = "keep all rows of a group in one split, or export anew"
            faults.add(Fault(file, row, f"its group `{name[:40]}` has {group.size} attempts, of which {there} are here", remedy))
        elif there < 2:
            remedy = "an attempt has nothing to be compared with; leave it out, or collect more attempts at the task"
            faults.add(Fault(file, row, f"its group `{name[:40]}` has one attempt", remedy))


def raw_rows(file: DataFile, unreadable: Callable[[int, str], None]) -> Iterator[RawRow]:
    """Row by row, numbered from 1. What is no JSON object goes to `unreadable`."""
    if file.path.suffix == ".parquet":
        yield from _parquet_rows(file, unreadable)
        return
    with file.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                unreadable(number, "it is no JSON")
                continue
            if isinstance(value, dict):
                yield RawRow(value, file.name, number)
            else:
                unreadable(number, "it is no JSON object")


def _parquet_rows(file: DataFile, unreadable: Callable[[int, str], None]) -> Iterator[RawRow]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        # Rows are long: few at a time.
        for batch in pyarrow.parquet.ParquetFile(file.path).iter_batches(batch_size=32):
            for value in batch.to_pylist():
                number += 1
                yield RawRow(value, file.name, number)
    except pyarrow.ArrowInvalid:
        unreadable(number + 1, "it is no Parquet file, or is cut short")


def _changed(file: DataFile) -> Callable[[int, str], None]:
    def report(row: int, what: str) -> None:
        raise TrainerError(f"{what}: it was changed while it was used", f"{file.name}:{row}")

    return report


def _changed_row(raw: RawRow) -> Report:
    def report(what: str, _: str) -> None:
        raise TrainerError(f"{what}: it was changed while it was used", f"{raw.file}:{raw.row}")

    return report
