"""Trains the critic: P(success | steps so far), from behavioural features of trajectory prefixes.

Reads the table that `gymline critic table` writes (JSON Lines; the first line names the features, every other line is
one prefix) and writes two files into the folder of `--out`:

  critic.onnx   features [n, width] float32, set [n] int64 -> probability [n, 1] float32, calibration included
  critic.json   what it was trained on and how well it does (schema gymline.critic.v2)

`set` is the place of a row's set in `model.sets` of critic.json, counted from 1; 0 is any other set.

How it is trained:

1. Of each trajectory at most `--prefixes` prefixes are kept, evenly spread, the empty and the whole one among them; the
   whole one counts three times. Every trajectory weighs the same, however long it is.
2. Features that the table calls relative are taken as differences from the median of whole runs of the same set, since
   long means something else with every agent. Of a set with fewer than ten trajectories, or one that is not known, the
   median of all takes its place.
3. Four candidates: logistic regression on standardised features; boosted trees that may not go against the direction
   which the table states for a feature ("trees"); the same on the features that have a direction and no others
   ("guided": it does worse where there is much data, better on sets of which there is little); the mean of the logits
   of the two ("blend"). The one with the lowest log loss in cross-validation, as a mean over the sets, is taken.
   Folds never split a group (a repository).
4. The logits of that cross-validation, which come from models that did not see the group, fit a sigmoid
   (Platt, 1999) that calibrates the model, which is then fitted to everything.

How it is evaluated: steps 1 to 4 are repeated in full, choice and calibration included, without the groups that are
predicted; leaving out a set, without that set and without the groups that are predicted, wherever else they occur. So
no figure comes from data that anything was fitted to. An AUC counts pairs that one and the same model predicted. Intervals
are 95 % percentile intervals of a bootstrap that draws whole groups.

The same table, seed and package versions give the same files, byte for byte.
"""

import os

# One thread sums in one order; it must be said before numpy is loaded.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import hashlib
import json
import platform
import sys
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import sklearn
from onnx import TensorProto, helper, numpy_helper
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

TABLE_SCHEMA = "gymline.critic-table.v1"
CRITIC_SCHEMA = "gymline.critic.v2"
CANDIDATES = ("logistic", "guided", "trees", "blend")
MIN_TRAJECTORIES = 40
MIN_PER_CLASS = 10
MIN_GROUPS = 5
# A set with fewer trajectories of either class has no AUC worth a name.
MIN_PER_CLASS_IN_SET = 5
FRACTIONS = {"0.25": 0.25, "0.5": 0.5, "0.75": 0.75, "final": 1.0}
BINS = 10
CLIP = 5.0
# How often the whole trajectory counts among its prefixes.
FINAL_WEIGHT = 3.0
# With fewer trajectories a set has no median of its own.
MIN_FOR_MEDIAN = 10
# Folds of the cross-validation that chooses and calibrates, inside each part of the one that evaluates.
INNER_FOLDS = 3
# Groups are split into so many parts where a set is left out as well.
SET_FOLDS = 3


class CriticError(Exception):
    """What the user can mend; the message says how."""


class TableError(CriticError):
    """The table is not what `gymline critic table` writes."""


class TooLittleDataError(CriticError):
    """Too few trajectories, groups or outcomes to train on."""


# ---------------------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True)
class Table:
    """Prefixes as rows; `trajectory` numbers the trajectory of each row. Everything else is per trajectory."""

    version: int
    names: tuple[str, ...]
    directions: np.ndarray  # [width] 1: more of it never lowers the probability, -1: never raises it, 0: free
    relative: np.ndarray  # [width] bool: taken as the difference from the median of the set
    x: np.ndarray  # [rows, width] float32
    trajectory: np.ndarray  # [rows]
    step: np.ndarray  # [rows] agent steps of the prefix
    id: np.ndarray  # [trajectories] str
    steps: np.ndarray  # [trajectories] agent steps of the whole
    label: np.ndarray  # [trajectories] 0 or 1
    group: np.ndarray  # [trajectories] str
    set: np.ndarray  # [trajectories] str
    sha256: str


def read_table(path: Path) -> Table:
    """Raises TableError with the line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    lines = data.split(b"\n")
    head = parse_line(path, 1, lines[0])
    if head.get("schema") != TABLE_SCHEMA:
        raise TableError(f"{path}:1: the first line must have the schema {TABLE_SCHEMA}; make the table with `gymline critic table`")
    names, version = head.get("features"), head.get("features_version")
    if not isinstance(version, int) or not isinstance(names, list) or not names:
        raise TableError(f"{path}:1: features and features_version are missing; make the table with `gymline critic table`")
    directions = head.get("directions", [0] * len(names))
    if not isinstance(directions, list) or len(directions) != len(names) or not set(directions) <= {-1, 0, 1}:
        raise TableError(f"{path}:1: directions must be -1, 0 or 1 for each feature; make the table again")
    relative = head.get("relative", [False] * len(names))
    if not isinstance(relative, list) or len(relative) != len(names) or not set(relative) <= {True, False}:
        raise TableError(f"{path}:1: relative must be true or false for each feature; make the table again")
    rows, order, of_row, step = [], {}, [], []
    facts: list[tuple[int, int, str, str]] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        row = parse_line(path, number, line)
        try:
            values = np.asarray(row["features"], dtype=np.float64)
            fact = (int(row["steps"]), int(row["label"]), str(row["group"]), str(row["set"]))
            at, key = int(row["step"]), str(row["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise TableError(f"{path}:{number}: {type(error).__name__}: {error}; make the table again") from error
        if values.shape != (len(names),) or not np.isfinite(values).all():
            raise TableError(f"{path}:{number}: needs {len(names)} finite features; make the table again")
        if fact[1] not in (0, 1) or not 0 <= at <= fact[0]:
            raise TableError(f"{path}:{number}: label must be 0 or 1, and step between 0 and steps; make the table again")
        index = order.setdefault(key, len(order))
        if index == len(facts):
            facts.append(fact)
        elif facts[index] != fact:
            raise TableError(f"{path}:{number}: differs from earlier rows of the same id in steps, label, group or set; make the table again")
        rows.append(values.astype(np.float32))
        of_row.append(index)
        step.append(at)
    if not rows:
        raise TooLittleDataError(f"{path} has no rows: no trajectory in it has a known outcome")
    steps, label, group, set_ = zip(*facts)
    return Table(
        version=version,
        names=tuple(map(str, names)),
        directions=np.array(directions),
        relative=np.array(relative, dtype=bool),
        x=np.stack(rows),
        trajectory=np.array(of_row),
        step=np.array(step),
        id=np.array(list(order)),
        steps=np.array(steps),
        label=np.array(label),
        group=np.array(group),
        set=np.array(set_),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def parse_line(path: Path, number: int, line: bytes) -> dict:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise TableError(f"{path}:{number}: no valid JSON ({error}); make the table again") from error
    if not isinstance(value, dict):
        raise TableError(f"{path}:{number}: not a JSON object; make the table again")
    return value


def check_enough(table: Table, folds: int) -> None:
    successes = int(table.label.sum())
    failures = len(table.label) - successes
    groups = len(set(table.group))
    if len(table.label) < MIN_TRAJECTORIES:
        raise TooLittleDataError(f"{len(table.label)} trajectories with a known outcome; at least {MIN_TRAJECTORIES} are needed")
    if min(successes, failures) < MIN_PER_CLASS:
        raise TooLittleDataError(f"{successes} successes and {failures} failures; at least {MIN_PER_CLASS} of each are needed")
    if groups < max(MIN_GROUPS, folds):
        raise TooLittleDataError(f"{groups} groups (repositories, or tasks where none is known); at least {max(MIN_GROUPS, folds)} are needed to test on groups that were not trained on")


def row_at(table: Table, fraction: float) -> np.ndarray:
    """Of each trajectory the row of the longest prefix that is no longer than `fraction` of it (at least one step)."""
    wanted = np.maximum(np.floor(fraction * table.steps + 1e-9), np.minimum(1, table.steps))
    best = np.full(len(table.label), -1)
    for row in np.argsort(table.step, kind="stable"):
        t = table.trajectory[row]
        if table.step[row] <= wanted[t] or best[t] < 0:
            best[t] = row
    return best


def thin(table: Table, prefixes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and their weights, which sum to 1 over each trajectory."""
    of: dict[int, list[int]] = defaultdict(list)
    for row in np.argsort(table.step, kind="stable"):
        of[int(table.trajectory[row])].append(int(row))
    rows, weights = [], []
    for t in range(len(table.label)):
        own = of[t]
        kept = sorted({int(round(i)) for i in np.linspace(0, len(own) - 1, min(prefixes, len(own)))})
        rows += [own[i] for i in kept]
        own_weights = np.ones(len(kept))
        own_weights[-1] = FINAL_WEIGHT
        weights += list(own_weights / own_weights.sum())
    return np.array(rows), np.array(weights)


# --------------------------------------------------------------------------------------------------------------- sets


@dataclass(frozen=True)
class Sets:
    """The sets that a critic knows, and the medians of their runs. Number 0 is any other set."""

    names: tuple[str, ...]
    medians: np.ndarray  # [1 + sets, width] float32; 0 where a feature is not relative

    def number(self, sets: np.ndarray) -> np.ndarray:
        numbers = {name: number for number, name in enumerate(self.names, start=1)}
        return np.array([numbers.get(name, 0) for name in sets], dtype=np.int64)

    def relative(self, x: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """In float32, as the graph does it: so both get to the same side of every threshold."""
        return x - self.medians[numbers]


def find_sets(table: Table, trajectories: np.ndarray) -> Sets:
    """Knows no outcome."""
    whole, sets = table.x[row_at(table, 1.0)[trajectories]], table.set[trajectories]
    names = tuple(sorted(set(sets)))
    everything = np.median(whole, axis=0)
    own = [whole[sets == name] for name in names]
    medians = [everything, *(np.median(x, axis=0) if len(x) >= MIN_FOR_MEDIAN else everything for x in own)]
    return Sets(names, np.where(table.relative, np.stack(medians), 0).astype(np.float32))


# --------------------------------------------------------------------------------------------------------- candidates


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on features that are standardised and clipped."""

    mean: np.ndarray
    scale: np.ndarray
    weight: np.ndarray
    bias: float

    def logits(self, x: np.ndarray) -> np.ndarray:
        z = np.clip((x.astype(np.float64) - self.mean) / self.scale, -CLIP, CLIP)
        return z @ self.weight + self.bias


def fit_logistic(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Logistic:
    mean = np.average(x, axis=0, weights=w)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
    scale = np.where(scale > 1e-6, scale, 1.0)
    z = np.clip((x - mean) / scale, -CLIP, CLIP)
    model = LogisticRegression(C=0.03, max_iter=1000).fit(z, y, sample_weight=w)
    return Logistic(mean, scale, model.coef_[0], float(model.intercept_[0]))


@dataclass(frozen=True)
class Trees:
    """Boosted trees on some of the features."""

    model: HistGradientBoostingClassifier
    columns: np.ndarray

    def logits(self, x: np.ndarray) -> np.ndarray:
        return self.model.decision_function(x[:, self.columns])


def fit_trees(x: np.ndarray, y: np.ndarray, w: np.ndarray, columns: np.ndarray, directions: np.ndarray, seed: int) -> Trees:
    model = HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=200,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        l2_regularization=5.0,
        max_features=0.2,
        max_bins=32,
        monotonic_cst=directions[columns],
        early_stopping=False,
        random_state=seed,
    )
    return Trees(model.fit(x[:, columns], y, sample_weight=w), columns)


@dataclass(frozen=True)
class Blend:
    """The mean of the logits of two models."""

    first: Trees
    second: Trees

    def logits(self, x: np.ndarray) -> np.ndarray:
        return (self.first.logits(x) + self.second.logits(x)) / 2


Model = Logistic | Trees | Blend


def fit_candidates(table: Table, sets: Sets, rows: np.ndarray, w: np.ndarray, seed: int) -> dict[str, Model]:
    x = sets.relative(table.x[rows], sets.number(table.set[table.trajectory[rows]]))
    y = table.label[table.trajectory[rows]]
    if len(np.unique(y)) < 2:
        raise TooLittleDataError("a part of the cross-validation has successes or failures only; more groups of either outcome are needed")
    everything = np.arange(x.shape[1])
    directed = np.flatnonzero(table.directions)
    guided = fit_trees(x, y, w, directed if len(directed) > 0 else everything, table.directions, seed)
    trees = fit_trees(x, y, w, everything, table.directions, seed)
    return {"logistic": fit_logistic(x, y, w), "guided": guided, "trees": trees, "blend": Blend(guided, trees)}


# ------------------------------------------------------------------------------------------------------ the procedure


@dataclass(frozen=True)
class Critic:
    """A calibrated model: probability = sigmoid(slope * logit + intercept)."""

    kind: str
    model: Model
    sets: Sets
    slope: float
    intercept: float
    log_loss: dict[str, float]

    def predict(self, x: np.ndarray, sets: np.ndarray) -> np.ndarray:
        return expit(self.slope * self.model.logits(self.sets.relative(x, self.sets.number(sets))) + self.intercept)


def fold_of(table: Table, trajectories: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each of the trajectories: groups stay whole, outcomes are spread."""
    fold = np.empty(len(trajectories), dtype=int)
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    y, groups = table.label[trajectories], table.group[trajectories]
    with warnings.catch_warnings():
        # With few of a class it warns that some fold has none; fit_candidates says what that means.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, test) in enumerate(splitter.split(np.zeros(len(y)), y, groups)):
            fold[test] = number
    return fold


def train(table: Table, trajectories: np.ndarray, options: argparse.Namespace) -> Critic:
    """Chooses, fits and calibrates on these trajectories alone."""
    rows, weights = thin(table, options.prefixes)
    inside = np.isin(table.trajectory[rows], trajectories)
    rows, weights = rows[inside], weights[inside]
    y, of_set = table.label[table.trajectory[rows]], table.set[table.trajectory[rows]]
    sets = find_sets(table, trajectories)
    numbers = sets.number(of_set)
    folds = min(INNER_FOLDS, len(set(table.group[trajectories])))
    if folds < 2:
        raise TooLittleDataError("only one group is left to train on; trajectories of more repositories are needed")
    fold = np.full(len(table.label), -1)
    fold[trajectories] = fold_of(table, trajectories, folds, options.seed)
    of_row = fold[table.trajectory[rows]]
    held = {name: np.empty(len(rows)) for name in CANDIDATES}
    for number in range(folds):
        out = of_row == number
        models = fit_candidates(table, sets, rows[~out], weights[~out], options.seed)
        x = sets.relative(table.x[rows[out]], numbers[out])
        for name in CANDIDATES:
            held[name][out] = models[name].logits(x)
    # Each is compared as it would be used, that is calibrated.
    sigmoids = {name: fit_sigmoid(held[name], y, weights) for name in CANDIDATES}
    losses = {name: loss_over_sets(expit(a * held[name] + b), y, weights, of_set) for name, (a, b) in sigmoids.items()}
    kind = min(CANDIDATES, key=lambda name: losses[name])
    model = fit_candidates(table, sets, rows, weights, options.seed)[kind]
    return Critic(kind, model, sets, *sigmoids[kind], losses)


def fit_sigmoid(logits: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    model = LogisticRegression(C=10.0, max_iter=1000).fit(logits[:, None], y, sample_weight=w)
    # A slope below zero would turn the order round; that happens only where there is nothing to learn.
    slope = max(0.0, float(model.coef_[0, 0]))
    return slope, float(model.intercept_[0])


def loss_over_sets(p: np.ndarray, y: np.ndarray, w: np.ndarray, sets: np.ndarray) -> float:
    """The mean over the sets, so that no large one decides alone."""
    return float(np.mean([log_loss(p[sets == name], y[sets == name], w[sets == name]) for name in sorted(set(sets))]))


def log_loss(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return float(np.average(-(y * np.log(p) + (1 - y) * np.log(1 - p)), weights=w))


# ---------------------------------------------------------------------------------------------------------- evaluation


def auc(p: np.ndarray, y: np.ndarray) -> float:
    """Probability that a success is above a failure, ties counting half; NaN where a class is missing."""
    positive = int(y.sum())
    negative = len(y) - positive
    if positive == 0 or negative == 0:
        return float("nan")
    return float((rankdata(p)[y == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def auc_within(p: np.ndarray, y: np.ndarray, part: np.ndarray) -> float:
    """
    The same over the pairs of which both are in one part.

    Parts are those of the cross-validation. A model that was trained without a part in which much succeeds expects
    less of it, and more of one in which little does: pairs across parts would count that as wrong order.
    """
    pairs, ordered = 0, 0.0
    for number in np.unique(part):
        own = y[part == number]
        count = int(own.sum()) * (len(own) - int(own.sum()))
        if count > 0:
            pairs += count
            ordered += count * auc(p[part == number], own)
    return ordered / pairs if pairs > 0 else float("nan")


def brier(p: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((p - y) ** 2))


def ece(p: np.ndarray, y: np.ndarray) -> float:
    """Expected calibration error over ten bins of equal width (Guo et al., 2017)."""
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=p - y, minlength=BINS)
    return float(np.abs(gaps).sum() / len(p))


def ece_floor(p: np.ndarray, random: np.random.Generator) -> float:
    """What the ECE would be on average if every probability were exactly right: n is finite."""
    return float(np.mean([ece(p, (random.random(len(p)) < p).astype(int)) for _ in range(200)]))


def macro_auc(p: np.ndarray, y: np.ndarray, part: np.ndarray, sets: np.ndarray, names: list[str]) -> float:
    values = [auc_within(p[sets == name], y[sets == name], part[sets == name]) for name in names]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def group_draws(groups: np.ndarray, resamples: int, seed: int) -> list[np.ndarray]:
    """Indices of bootstrap samples that draw whole groups with replacement."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    return [np.concatenate([members[i] for i in random.integers(0, len(members), len(members))]) for _ in range(resamples)]


def estimate(measure, draws: list[np.ndarray], *columns: np.ndarray) -> dict | None:
    """Value with a 95 % percentile interval over the draws; None where it is not defined."""
    value = measure(*columns)
    if np.isnan(value):
        return None
    drawn = [measure(*(column[draw] for column in columns)) for draw in draws]
    known = [each for each in drawn if not np.isnan(each)]
    low, high = np.percentile(known, [2.5, 97.5]) if known else (float("nan"), float("nan"))
    return {"value": rounded(value), "low": rounded(low), "high": rounded(high)}


def rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def figures(table: Table, trajectories: np.ndarray, p: np.ndarray, part: np.ndarray, options: argparse.Namespace) -> dict:
    y, groups = table.label[trajectories], table.group[trajectories]
    draws = group_draws(groups, options.resamples, options.seed)
    return {
        "n": len(y),
        "successes": int(y.sum()),
        "groups": len(set(groups)),
        "auc": estimate(auc_within, draws, p, y, part),
        "brier": estimate(brier, draws, p, y),
        "ece": estimate(ece, draws, p, y),
        "ece_floor": rounded(ece_floor(p, np.random.default_rng(options.seed))),
    }


def sets_with_auc(table: Table) -> list[str]:
    def fewest(name: str) -> int:
        y = table.label[table.set == name]
        return min(int(y.sum()), len(y) - int(y.sum()))

    return [name for name in sorted(set(table.set)) if fewest(name) >= MIN_PER_CLASS_IN_SET]


def by_set(table: Table, p: np.ndarray, part: np.ndarray, options: argparse.Namespace) -> dict:
    """`p`: of every trajectory, NaN where it was not predicted. `part`: which model predicted it."""
    known = ~np.isnan(p)
    names = [name for name in sets_with_auc(table) if known[table.set == name].all()]
    everything = np.flatnonzero(known)
    if len(everything) == 0:
        return {"macro_auc": None, "macro_sets": [], "sets": {}}
    draws = group_draws(table.group[everything], options.resamples, options.seed)

    def measure(p_, y_, part_, sets_):
        return macro_auc(p_, y_, part_, sets_, names)

    parts = {}
    for name in sorted(set(table.set)):
        own = np.flatnonzero((table.set == name) & known)
        if len(own) > 0:
            parts[name] = figures(table, own, p[own], part[own], options)
    columns = (p[everything], table.label[everything], part[everything], table.set[everything])
    return {
        "macro_auc": estimate(measure, draws, *columns),
        "macro_sets": names,
        "sets": parts,
    }


def predict_held(table: Table, out: np.ndarray, rest: np.ndarray, options: argparse.Namespace) -> dict:
    """Trains on the trajectories `rest` and predicts the trajectories `out`, at every fraction."""
    try:
        critic = train(table, rest, options)
    except TooLittleDataError as error:
        return {"error": str(error)}
    rows = np.flatnonzero(np.isin(table.trajectory, out))
    p = np.full(len(table.x), np.nan)
    p[rows] = critic.predict(table.x[rows], table.set[table.trajectory[rows]])
    at = {name: p[row_at(table, fraction)[out]] for name, fraction in FRACTIONS.items()}
    return {"kind": critic.kind, "predicted": at, "rows": rows, "of_rows": p[rows]}


def all_held(table: Table, parts: list[tuple[np.ndarray, np.ndarray]], options: argparse.Namespace, what: str) -> list[dict]:
    """`predict_held` for every part, side by side; the order and the results do not depend on `--jobs`."""
    results = []

    def note(result: dict) -> None:
        results.append(result)
        say(f"{what}: {len(results)} of {len(parts)}, {result.get('kind', 'not possible')}")

    if options.jobs == 1:
        for out, rest in parts:
            note(predict_held(table, out, rest, options))
        return results
    # Spawned, not forked: the same on every system.
    with ProcessPoolExecutor(min(options.jobs, len(parts)), mp_context=get_context("spawn")) as pool:
        for each in [pool.submit(predict_held, table, out, rest, options) for out, rest in parts]:
            note(each.result())
    return results


def cross_validate(table: Table, options: argparse.Namespace) -> dict:
    everything = np.arange(len(table.label))
    fold = fold_of(table, everything, options.folds, options.seed)
    parts = [(np.flatnonzero(fold == number), np.flatnonzero(fold != number)) for number in range(options.folds)]
    results = all_held(table, parts, options, "cross-validation")
    predicted = {name: np.empty(len(everything)) for name in FRACTIONS}
    of_rows = np.empty(len(table.x))
    for (out, _), result in zip(parts, results):
        if "error" in result:
            raise TooLittleDataError(result["error"])
        of_rows[result["rows"]] = result["of_rows"]
        for name in FRACTIONS:
            predicted[name][out] = result["predicted"][name]
    report = {name: figures(table, everything, predicted[name], fold, options) for name in FRACTIONS}
    if options.held is not None:
        write_held(options.held, table, of_rows, fold)
    chosen = [result["kind"] for result in results]
    return {"folds": options.folds, "chosen": chosen, "prefixes": report, **by_set(table, predicted["final"], fold, options)}


def write_held(path: Path, table: Table, p: np.ndarray, part: np.ndarray) -> None:
    """A line for each trajectory: what a critic that had not seen its group says of each prefix, and which one it was."""
    order = np.lexsort((table.step, table.trajectory))
    values = np.split(p[order], np.flatnonzero(np.diff(table.trajectory[order])) + 1)
    lines = [json.dumps({"id": str(table.id[t]), "part": int(part[t]), "values": [round(float(v), 6) for v in values[t]]}) for t in range(len(values))]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def leave_one_set_out(table: Table, options: argparse.Namespace) -> dict | None:
    names = sorted(set(table.set))
    if len(names) < 2:
        return None
    fold = fold_of(table, np.arange(len(table.label)), SET_FOLDS, options.seed)
    parts, of_part = [], []
    for name in names:
        for number in range(SET_FOLDS):
            own = table.set == name
            out = np.flatnonzero(own & (fold == number))
            # Sets may share repositories: those that are predicted must not be known from another set.
            rest = np.flatnonzero(~own & (fold != number))
            if len(out) > 0:
                parts.append((out, rest))
                of_part.append(name)
    p, skipped = np.full(len(table.label), np.nan), {}
    for name, (out, _), result in zip(of_part, parts, all_held(table, parts, options, "leave one set out")):
        if "error" in result:
            skipped[name] = result["error"]
        else:
            p[out] = result["predicted"]["final"]
    for name in skipped:
        p[table.set == name] = np.nan
    return {**by_set(table, p, fold, options), "skipped": skipped}


# --------------------------------------------------------------------------------------------------------- the export


def to_onnx(critic: Critic, width: int) -> bytes:
    """The whole critic, calibration included, as one graph."""
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    def vector(name: str, values) -> str:
        return constant(name, np.asarray(values, dtype=np.float32))

    def node(kind: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def logistic(model: Logistic) -> str:
        centred = node("Sub", ["relative", vector("mean", model.mean)], "centred")
        scaled = node("Div", [centred, vector("scale", model.scale)], "scaled")
        clipped = node("Clip", [scaled, vector("low", -CLIP), vector("high", CLIP)], "clipped")
        product = node("MatMul", [clipped, vector("weight", model.weight[:, None])], "product")
        return node("Add", [product, vector("bias", [model.bias])], "logistic")

    def trees(model: Trees, output: str) -> str:
        attributes = tree_attributes(model)
        return node("TreeEnsembleRegressor", ["relative"], output, domain="ai.onnx.ml", n_targets=1, **attributes)

    median = node("Gather", [vector("medians", critic.sets.medians), "set"], "median")
    node("Sub", ["features", median], "relative")
    match critic.model:
        case Logistic() as model:
            logits = logistic(model)
        case Trees() as model:
            logits = trees(model, "trees")
        case Blend(first, second):
            total = node("Add", [trees(first, "first"), trees(second, "second")], "total")
            logits = node("Mul", [total, vector("half", [0.5])], "blend")
    sloped = node("Mul", [logits, vector("slope", [critic.slope])], "sloped")
    shifted = node("Add", [sloped, vector("intercept", [critic.intercept])], "shifted")
    node("Sigmoid", [shifted], "probability")

    graph = helper.make_graph(
        nodes,
        "gymline-critic",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", width]),
            helper.make_tensor_value_info("set", TensorProto.INT64, ["n"]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 1])],
        constants,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="gymline")
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def tree_attributes(trees: Trees) -> dict:
    """The trees as lists, as the operator wants them."""
    model, lists = trees.model, defaultdict(list)
    # scikit-learn has no public way to the trees of this model; its version is pinned, and the tests compare outputs.
    for tree, (predictor,) in enumerate(model._predictors):
        for number, each in enumerate(predictor.nodes):
            leaf = bool(each["is_leaf"])
            lists["nodes_treeids"].append(tree)
            lists["nodes_nodeids"].append(number)
            lists["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            lists["nodes_featureids"].append(0 if leaf else int(trees.columns[each["feature_idx"]]))
            lists["nodes_values"].append(0.0 if leaf else float32_below(float(each["num_threshold"])))
            lists["nodes_truenodeids"].append(0 if leaf else int(each["left"]))
            lists["nodes_falsenodeids"].append(0 if leaf else int(each["right"]))
            lists["nodes_missing_value_tracks_true"].append(0)
            if leaf:
                lists["target_treeids"].append(tree)
                lists["target_nodeids"].append(number)
                lists["target_ids"].append(0)
                lists["target_weights"].append(float(each["value"]))
    return {**lists, "base_values": [float(model._baseline_prediction.ravel()[0])], "aggregate_function": "SUM"}


def float32_below(threshold: float) -> float:
    """The largest float32 that is no larger: a float32 is below one exactly if it is below the other."""
    value = np.float32(threshold)
    return float(value if float(value) <= threshold else np.nextafter(value, np.float32(-np.inf)))


def check_export(data: bytes, critic: Critic, x: np.ndarray, sets: np.ndarray) -> float:
    """The largest difference between the graph and the model it came from."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {"features": x, "set": critic.sets.number(sets)})
    difference = float(np.abs(given[:, 0] - critic.predict(x, sets)).max())
    if not difference < 1e-5:
        raise CriticError(f"the exported graph differs by {difference:g} from the model; this is a fault of critic.py")
    return difference


# ----------------------------------------------------------------------------------------------------------- the rest


def summary(table: Table, rows: np.ndarray) -> dict:
    sets = {
        name: {
            "trajectories": int((table.set == name).sum()),
            "successes": int(table.label[table.set == name].sum()),
            "groups": len(set(table.group[table.set == name])),
        }
        for name in sorted(set(table.set))
    }
    return {
        "table_sha256": table.sha256,
        "trajectories": len(table.label),
        "successes": int(table.label.sum()),
        "groups": len(set(table.group)),
        "rows": len(table.x),
        "rows_used": len(rows),
        "sets": sets,
    }


def document(table: Table, critic: Critic, data: bytes, report: dict, options: argparse.Namespace) -> dict:
    rows, weights = thin(table, options.prefixes)
    mean = np.average(table.x[rows], axis=0, weights=weights)
    deviation = np.sqrt(np.average((table.x[rows] - mean) ** 2, axis=0, weights=weights))
    return {
        "schema": CRITIC_SCHEMA,
        "features": {
            "version": table.version,
            "names": list(table.names),
            "means": [round(float(value), 6) for value in mean],
            "deviations": [round(float(value), 6) for value in deviation],
        },
        "model": {
            "file": "critic.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "kind": critic.kind,
            "log_loss": {name: round(value, 6) for name, value in critic.log_loss.items()},
            "sets": list(critic.sets.names),
            "calibration": {"method": "sigmoid", "slope": critic.slope, "intercept": critic.intercept},
        },
        "training": {
            **summary(table, rows),
            "seed": options.seed,
            "folds": options.folds,
            "prefixes": options.prefixes,
            "resamples": options.resamples,
        },
        "report": report,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }


def write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse_options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains the critic from the table of `gymline critic table`.")
    parser.add_argument("--table", type=Path, required=True, help="JSON Lines of `gymline critic table`")
    parser.add_argument("--out", type=Path, required=True, help="folder for critic.onnx and critic.json")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=5, help="folds of the cross-validation that evaluates, by group")
    parser.add_argument("--prefixes", type=int, default=4, help="at most so many prefixes of a trajectory are trained on")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that train side by side")
    parser.add_argument("--held", type=Path, help="write here what the critics of the cross-validation say of every prefix")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of the bootstrap")
    options = parser.parse_args(argv)
    if options.folds < 2 or options.prefixes < 2 or min(options.resamples, options.jobs) < 1:
        parser.error("--folds and --prefixes must be at least 2, --resamples and --jobs at least 1")
    return options


def main(argv: list[str]) -> int:
    options = parse_options(argv)
    try:
        table = read_table(options.table)
        check_enough(table, options.folds)
        report = {"cross_validation": cross_validate(table, options), "leave_one_set_out": leave_one_set_out(table, options)}
        critic = train(table, np.arange(len(table.label)), options)
        data = to_onnx(critic, len(table.names))
        check_export(data, critic, table.x, table.set[table.trajectory])
        options.out.mkdir(parents=True, exist_ok=True)
        write_whole(options.out / "critic.onnx", data)
        text = json.dumps(document(table, critic, data, report, options), indent=1, allow_nan=False)
        # Last, so that a folder with it is whole.
        write_whole(options.out / "critic.json", f"{text}\n".encode())
    except (CriticError, OSError) as error:
        say(f"critic: {type(error).__name__}: {error}")
        return 1
    say(f"{critic.kind}: {options.out / 'critic.onnx'}, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
