"""Writes vectors.json beside this file: random designs and what established packages make of them.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0:
    python3.11 -m venv /tmp/venv
    /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 statsmodels==0.15.0
    /tmp/venv/bin/python test/statistics/make_vectors.py
Where no package has a figure, it is computed here straight from its definition. null stands for "not defined".
"""

import itertools
import json
import math
import pathlib
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20260101)


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def column(values, digits=4):
    return [round(float(value), digits) for value in values]


def agreement(x, y):
    pairs = list(itertools.combinations(range(len(x)), 2))
    same = sum(np.sign(x[i] - x[j]) == np.sign(y[i] - y[j]) for i, j in pairs)
    without = []
    for left in range(len(x)):
        kept = [(i, j) for i, j in pairs if left not in (i, j)]
        if kept:
            without.append(sum(np.sign(x[i] - x[j]) == np.sign(y[i] - y[j]) for i, j in kept) / len(kept))
    n = len(x)
    error = math.sqrt((n - 1) / n * np.sum((np.array(without) - np.mean(without)) ** 2)) if n > 2 else None
    return same / len(pairs), error


def correlation():
    n = int(rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 20, 33, 34, 45]))
    x = rng.normal(0, 1, n)
    y = rng.uniform(-1, 1) * x + rng.normal(0, rng.uniform(0.05, 1.5), n)
    kind = rng.integers(0, 6)
    if kind == 0:
        x, y = np.round(x * 2), np.round(y * 2)
    elif kind == 1:
        x = np.round(x)
    elif kind == 2:
        y = np.full(n, y[0]) if rng.random() < 0.3 else np.sort(x + 0.01 * y)
    elif kind == 3:
        x, y = x * 1e-6, y * 1e3 + 1e6
    x, y = column(x, 9 if kind == 3 else 4), column(y)
    constant = len(set(x)) == 1 or len(set(y)) == 1
    r = None if constant else stats.pearsonr(x, y)
    rho = None if constant else stats.spearmanr(x, y)
    tau = None if constant else stats.kendalltau(x, y)
    same, error = agreement(x, y)
    ci = r.confidence_interval(0.9) if r is not None and n > 3 else None
    mae = np.abs(np.array(x) - np.array(y))
    half = stats.t.ppf(0.975, n - 1) * stats.sem(mae)
    return {
        "x": x,
        "y": y,
        "pearson": None if r is None else {"r": number(r.statistic), "p": number(r.pvalue)},
        "fisher90": None if ci is None or abs(r.statistic) > 1 - 1e-12 else [number(ci.low), number(ci.high)],
        "spearman": None if rho is None else {"r": number(rho.statistic), "p": number(rho.pvalue)},
        "kendall": None if tau is None else {"r": number(tau.statistic), "p": number(tau.pvalue)},
        "agreement": {"value": same, "error": error},
        "mae": {"value": number(mae.mean()), "half": number(half)},
    }


def kappa():
    n = int(rng.choice([2, 5, 10, 30, 80]))
    k = int(rng.integers(2, 6))
    a = rng.integers(0, k, n)
    b = np.where(rng.random(n) < rng.uniform(0, 0.9), a, rng.integers(0, k, n))
    if rng.random() < 0.1:
        b = np.full(n, b[0])
    table = metrics.confusion_matrix(a, b, labels=range(k))
    out = {}
    for name, weights in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        value = metrics.cohen_kappa_score(a, b, labels=list(range(k)), weights=weights)
        result = cohens_kappa(table, wt=weights)
        assert not math.isfinite(value) or abs(result.kappa - value) < 1e-9
        out[name] = {"value": number(value), "error": number(result.std_kappa)}
    return {"a": a.tolist(), "b": b.tolist(), "categories": k, "kappa": out}


def area():
    n = int(rng.choice([3, 6, 15, 40]))
    y = rng.random(n) < rng.uniform(0.2, 0.8)
    s = np.array(column(rng.uniform(0, 1, n) * 0.6 + 0.4 * y * rng.random(), int(rng.choice([1, 2, 4]))))
    up, down = s[y], s[~y]
    out = {"scores": column(s), "positive": [bool(v) for v in y], "auc": None, "variance": None}
    if len(up) and len(down):
        out["auc"] = number(metrics.roc_auc_score(y, s))
        psi = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
        if len(up) > 1 and len(down) > 1:
            out["variance"] = number(
                psi.mean(axis=1).var(ddof=1) / len(up) + psi.mean(axis=0).var(ddof=1) / len(down)
            )
    return out


def probabilities():
    n = int(rng.choice([1, 7, 23, 52]))
    p = column(rng.beta(rng.uniform(0.3, 3), rng.uniform(0.3, 3), n), int(rng.choice([1, 3])))
    y = (rng.random(n) < np.array(p) * rng.uniform(0.5, 1)).astype(int)
    ece = {}
    for name, strategy, bins in (("equal_width", "uniform", 10), ("equal_mass", "quantile", 5)):
        if strategy == "uniform":
            edges = np.linspace(0, 1, bins + 1)
        else:
            edges = np.percentile(p, np.linspace(0, 1, bins + 1) * 100)
        where = np.searchsorted(edges[1:-1], p)
        counts = np.bincount(where, minlength=bins)
        observed, predicted = calibration_curve(y, p, n_bins=bins, strategy=strategy, pos_label=1)
        ece[name] = number(np.sum(counts[counts > 0] / n * np.abs(observed - predicted)))
    return {
        "predicted": p,
        "observed": y.tolist(),
        "brier": number(metrics.brier_score_loss(y, p, pos_label=1)),
        "logLoss": number(metrics.log_loss(y, p, labels=[0, 1])),
        "ece": ece,
    }


def spread():
    n = int(rng.choice([1, 2, 3, 9, 20]))
    values = column(rng.normal(3, 2, n), int(rng.choice([0, 3])))
    half = stats.t.ppf(0.975, n - 1) * stats.sem(values) if n > 1 else None
    q = round(float(rng.random()), 3)
    return {
        "values": values,
        "mean": number(np.mean(values)),
        "half": None if half is None else number(half),
        "q": q,
        "quantile": number(np.quantile(values, q)),
        "median": number(np.median(values)),
    }


def share():
    n = int(rng.choice([1, 2, 7, 40, 1000]))
    k = int(rng.integers(0, n + 1))
    low, high = proportion_confint(k, n, alpha=0.05, method="wilson")
    return {"successes": k, "n": n, "low": number(low), "high": number(high)}


def resampled():
    values = column(rng.gamma(1.5, 2, int(rng.choice([6, 15, 30]))), 2)
    out = {"values": values, "value": float(np.mean(values))}
    for method in ("percentile", "BCa"):
        result = stats.bootstrap(
            (values,), np.mean, n_resamples=119, method=method, rng=np.random.default_rng(7), vectorized=True
        )
        interval = result.confidence_interval
        out[method.lower()] = [number(interval.low), number(interval.high)]
    out["replicates"] = [float(v) for v in result.bootstrap_distribution]
    return out


def flipped():
    values = column(rng.normal(0.4, 1, int(rng.choice([1, 3, 6, 10]))), int(rng.choice([0, 2])))
    result = stats.permutation_test(
        (values,), lambda v: np.mean(v), permutation_type="samples", n_resamples=np.inf
    ) if len(values) > 1 else None
    return {"values": values, "p": 1.0 if result is None else number(result.pvalue)}


def alpha():
    units = []
    for _ in range(int(rng.choice([2, 5, 12]))):
        truth = rng.random()
        units.append(column(truth + rng.normal(0, 0.2, int(rng.integers(1, 5))), 2))
    counted = [unit for unit in units if len(unit) > 1]
    values = [value for unit in counted for value in unit]
    n = len(values)
    if n < 2:
        return {"units": units, "alpha": None}
    observed = sum(
        (a - b) ** 2 / (len(unit) - 1) for unit in counted for a, b in itertools.permutations(unit, 2)
    ) / n
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2)) / (n * (n - 1))
    return {"units": units, "alpha": number(1 - observed / expected) if expected > 0 else None}


def fit():
    n = int(rng.choice([10, 25, 60]))
    x = np.array(column(rng.random(n), int(rng.choice([1, 3]))))
    y = np.array(column(np.clip(x ** rng.uniform(0.4, 3) + rng.normal(0, 0.2, n), 0, 1), 2))
    if rng.random() < 0.3:
        y = np.round(y)
    good = y.sum()
    low, high = 1 / (n - good + 2), (good + 1) / (good + 2)
    target = low + y * (high - low)
    curve = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(
        np.concatenate([x, x])[:, None], [1] * n + [0] * n, sample_weight=np.concatenate([target, 1 - target])
    )
    line = stats.linregress(x, y)
    return {
        "score": x.tolist(),
        "human": y.tolist(),
        "heights": sorted(set(IsotonicRegression().fit_transform(x, y).tolist())),
        "line": [number(line.slope), number(line.intercept)],
        "curve": [number(curve.coef_[0][0]), number(curve.intercept_[0])],
    }


def split_mix(seed):
    mask = (1 << 64) - 1
    words = []
    for step in (1, 2):
        z = (seed + step * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        words += [z & 0xFFFFFFFF, z >> 32]
    return words


def xoshiro(state, count):
    mask, s, out = 0xFFFFFFFF, list(state), []
    rotl = lambda v, k: ((v << k) | (v >> (32 - k))) & mask
    for _ in range(count):
        out.append(rotl(s[1] * 5 & mask, 7) * 9 & mask)
        t = s[1] << 9 & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
    return out


vectors = {
    "correlations": [correlation() for _ in range(150)],
    "kappas": [kappa() for _ in range(60)],
    "areas": [area() for _ in range(40)],
    "probabilities": [probabilities() for _ in range(40)],
    "spreads": [spread() for _ in range(40)],
    "shares": [share() for _ in range(30)],
    "resampled": [resampled() for _ in range(8)],
    "flipped": [flipped() for _ in range(20)],
    "alphas": [alpha() for _ in range(20)],
    "random": [
        {"seed": seed, "words": xoshiro(split_mix(seed % 2**64), 8)} for seed in (0, 1, 42, 2**53 - 1, -7)
    ],
    "fits": [fit() for _ in range(30)],
}
text = ",\n".join(
    f'"{name}": [\n' + ",\n".join(json.dumps(case, allow_nan=False) for case in cases) + "\n]"
    for name, cases in vectors.items()
)
pathlib.Path(__file__).with_name("vectors.json").write_text("{\n" + text + "\n}\n", encoding="utf-8")
