"""Writes comparisons.json beside this file: what scipy and statsmodels make of comparisons of two samples.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0:
    python3.11 -m venv /tmp/venv
    /tmp/venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    /tmp/venv/bin/python test/statistics/make_comparisons.py
The 4,000 designs are not stored: `design` draws them from their number with arithmetic that is exact in any language,
as `designs.ts` does. Stored are results, to 12 significant digits; null stands for "not defined". Where no package has
a figure, it is computed here straight from its definition.
"""

import functools
import itertools
import json
import math
import pathlib
import warnings

import numpy as np
from scipy import optimize, stats
from statsmodels.stats import multitest, power
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20260102)

DESIGNS = 4000
DETAILED = 600
CHECKED = 12
SIZES = [3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 20, 30, 50, 51]
SHIFTS = [0, 0, 0.3, 0.6, 1]
KINDS = ["plain", "plain", "whole", "halves", "tiny", "offset", "binary"]
CORRELATIONS = [0, 0.5, 0.9]
ZERO_METHODS = ["wilcox", "pratt", "zsplit"]


def number(value):
    value = float(value)
    return float(f"{value:.12g}") if math.isfinite(value) else None


def generator(seed):
    """A linear congruential generator modulo 2^32; numbers in [0, 1)."""
    state = (seed * 40503 + 12345) % 2**32

    def draw():
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return state / 2**32

    return draw


def design(seed):
    draw = generator(seed)
    pick = lambda items: items[math.floor(draw() * len(items))]
    n, shift, kind, rho = pick(SIZES), pick(SHIFTS), pick(KINDS), pick(CORRELATIONS)
    shorter = 2 + math.floor(draw() * (n - 1))

    def normal():
        """The sum of twelve uniform numbers less 6, which needs no function that languages round differently."""
        total = 0.0
        for _ in range(12):
            total += draw()
        return total - 6

    def shaped(x):
        if kind == "whole":
            return math.floor(x + 0.5)
        if kind == "halves":
            return math.floor(2 * x + 0.5) / 2
        if kind == "tiny":
            return x * 2.0**-30
        if kind == "offset":
            return x + 1024
        return (1 if x > 0.5 else 0) if kind == "binary" else x

    a, b, successes = [], [], []
    for _ in range(n):
        x, noise = normal(), normal()
        first, second = x + shift, rho * x + noise
        a.append(shaped(first))
        b.append(shaped(second))
        successes.append((first > 0.25, second > 0.25))
    return a, b, successes, shorter


def counts(successes):
    both = sum(x and y for x, y in successes)
    only_a = sum(x and not y for x, y in successes)
    only_b = sum(y and not x for x, y in successes)
    return both, only_a, only_b, len(successes) - both - only_a - only_b


def flat(values):
    return max(values) - min(values) <= 8 * 2.0**-52 * max(abs(v) for v in values)


def signed_ranks(a, b, seed, alternative):
    """Statistic and p-value of scipy's test."""
    differences = np.array(a) - np.array(b)
    zero_method = ZERO_METHODS[seed % 3]
    if not differences.any():
        return None, None
    kept = differences[differences != 0] if zero_method == "wilcox" else differences
    ranked = len(set(np.abs(kept))) < len(kept) or not differences.all()
    run = lambda: stats.wilcoxon(
        a, b, zero_method=zero_method, correction=seed % 2 == 1, alternative=alternative
    )
    if not ranked or len(differences) > 13:
        result = run()
        return result.statistic, result.pvalue
    # scipy tries all patterns of signs here, one by one; this does it at once, and the first ones are checked.
    statistic, p = all_signs(kept, zero_method, alternative)
    if seed < CHECKED:
        result = run()
        assert abs(result.pvalue - p) < 1e-12, (seed, result, p)
        assert alternative == "two-sided" or result.statistic == statistic
    return statistic, p


def all_signs(differences, zero_method, alternative):
    ranks = stats.rankdata(np.abs(differences))
    zeros = ranks[differences == 0].sum() / 2 if zero_method == "zsplit" else 0
    signed = ranks[differences != 0]
    patterns = (np.arange(2 ** len(signed))[:, None] >> np.arange(len(signed))) & 1
    sums = patterns @ signed
    observed = ranks[differences > 0].sum()
    less, greater = np.mean(sums <= observed), np.mean(sums >= observed)
    p = {"less": less, "greater": greater, "two-sided": min(1, 2 * min(less, greater))}[alternative]
    return observed + zeros, p


def mid_p(only_a, only_b):
    k, n = min(only_a, only_b), only_a + only_b
    return min(1, 2 * stats.binom.cdf(k, n, 0.5) - stats.binom.pmf(k, n, 0.5))


def results(seed):
    a, b, successes, shorter = design(seed)
    other = b[:shorter]
    both, only_a, only_b, neither = counts(successes)
    table = [[both, only_a], [only_b, neither]]
    x, y = both + only_a, sum(second for _, second in successes[:shorter])
    spread = not (flat(a) and flat(other))
    differences = [p - q for p, q in zip(a, b)]
    paired_spread = max(differences) - min(differences) > 8 * 2.0**-52 * max(abs(v) for v in a + b)
    welch = stats.ttest_ind(a, other, equal_var=False) if spread else None
    student = stats.ttest_ind(a, other) if spread else None
    paired = stats.ttest_rel(a, b) if paired_spread else None
    u = stats.mannwhitneyu(a, other, use_continuity=seed % 4 != 3) if len(set(a + other)) > 1 else None
    _, w = signed_ranks(a, b, seed, "two-sided")
    pooled = 0 < x + y < len(a) + shorter
    z = proportions_ztest([x, y], [len(a), shorter]) if pooled else None
    p = lambda result: None if result is None else number(result.pvalue)
    out = {
        "p": [
            p(welch),
            p(student),
            p(paired),
            p(u),
            None if w is None else number(w),
            number(mcnemar(table, exact=True).pvalue),
            None if z is None else number(z[1]),
            number(stats.fisher_exact([[x, len(a) - x], [y, shorter - y]]).pvalue),
        ]
    }
    if seed >= DETAILED:
        return out
    bounds = lambda result: None if result is None else [number(v) for v in result.confidence_interval()]
    sided = {}
    for alternative in ("greater", "less"):
        larger = {"greater": "larger", "less": "smaller"}[alternative]
        one = {"alternative": alternative}
        sided[alternative] = [
            p(stats.ttest_ind(a, other, equal_var=False, **one)) if spread else None,
            p(stats.ttest_ind(a, other, **one)) if spread else None,
            p(stats.ttest_rel(a, b, **one)) if paired_spread else None,
            p(stats.mannwhitneyu(a, other, use_continuity=seed % 4 != 3, **one)) if u is not None else None,
            None if w is None else number(signed_ranks(a, b, seed, alternative)[1]),
            number(stats.binomtest(only_a, only_a + only_b, 0.5, **one).pvalue) if only_a + only_b else 1.0,
            number(proportions_ztest([x, y], [len(a), shorter], alternative=larger)[1]) if pooled else None,
            number(stats.fisher_exact([[x, len(a) - x], [y, shorter - y]], **one).pvalue),
        ]
    chi = None
    if only_a + only_b > 0:
        plain = mcnemar(table, exact=False, correction=False)
        # Where both counts are the same, the correction of statsmodels moves away from the middle.
        corrected = mcnemar(table, exact=False, correction=only_a != only_b)
        chi = [number(v) for v in (plain.statistic, plain.pvalue, corrected.statistic, corrected.pvalue)]
    return out | sided | {
        "welch": None if welch is None else [number(welch.statistic), number(welch.df), *bounds(welch)],
        "student": None if student is None else [number(student.statistic), number(student.df), *bounds(student)],
        "paired": None if paired is None else [number(paired.statistic), number(paired.df), *bounds(paired)],
        "u": None if u is None else number(u.statistic),
        "w": None if w is None else number(signed_ranks(a, b, seed, "greater")[0]),
        "midP": number(mid_p(only_a, only_b)),
        "chiSquare": chi,
        "z": None if z is None else number(z[0]),
        "newcombe": [
            number(v) for v in confint_proportions_2indep(x, len(a), y, shorter, method="newcomb", compare="diff")
        ],
        "newcombePaired": [number(v) for v in newcombe_paired(both, only_a, only_b, neither, 0.05)],
    }


def newcombe_paired(e, f, g, h, alpha):
    """Method 10 of Newcombe (1998), Statistics in Medicine 17:2635, in the letters of that paper."""
    n = e + f + g + h
    p1, p2 = (e + f) / n, (e + g) / n
    l1, u1 = proportion_confint(e + f, n, alpha, method="wilson")
    l2, u2 = proportion_confint(e + g, n, alpha, method="wilson")
    product = (e + f) * (g + h) * (e + g) * (f + h)
    cross = e * h - f * g
    if product == 0:
        phi = 0
    elif cross > n / 2:
        phi = (cross - n / 2) / math.sqrt(product)
    elif cross >= 0:
        phi = 0
    else:
        phi = cross / math.sqrt(product)
    low = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    high = math.sqrt((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2)
    return max(-1, p1 - p2 - low), min(1, p1 - p2 + high)


def effect_interval(t, df, scale, level):
    tail = (1 - level) / 2

    def find(q):
        off = lambda nc: stats.nct.cdf(t, df, nc) - q
        low, high = t - 1, t + 1
        while off(low) < 0:
            low -= 1
        while off(high) > 0:
            high += 1
        return optimize.brentq(off, low, high, xtol=1e-13, rtol=1e-14)

    return [number(find(1 - tail) / scale), number(find(tail) / scale)]


def effect():
    n, m = int(rng.choice([3, 5, 12, 30])), int(rng.choice([2, 4, 12]))
    a = [round(float(v), 3) for v in rng.normal(rng.choice([0, 0.5, 1.5]), 1, n)]
    b = [round(float(v), 3) for v in rng.normal(0, 1, m)]
    c = [round(float(v), 3) for v in np.array(a) - rng.normal(0.4, 0.7, n)]
    level = float(rng.choice([0.9, 0.95]))
    df = n + m - 2
    pooled = math.sqrt((np.var(a, ddof=1) * (n - 1) + np.var(b, ddof=1) * (m - 1)) / df)
    d = (np.mean(a) - np.mean(b)) / pooled
    scale = math.sqrt(n * m / (n + m))
    differences = np.array(a) - np.array(c)
    dz = differences.mean() / differences.std(ddof=1)
    factor = math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)
    return {
        "a": a,
        "b": b,
        "c": c,
        "level": level,
        "d": [number(d), *effect_interval(d * scale, df, scale, level)],
        "dz": [number(dz), *effect_interval(dz * math.sqrt(n), n - 1, math.sqrt(n), level)],
        "g": number(d * factor),
    }


@functools.cache
def binomial_p(k, n, alternative):
    return stats.binomtest(k, n, 0.5, alternative=alternative).pvalue


def powers():
    alpha = float(rng.choice([0.01, 0.05]))
    alternative = str(rng.choice(["two-sided", "larger", "smaller"]))
    size = round(float(rng.uniform(-1.2, 1.2)), 3)
    n, m = int(rng.choice([2, 3, 10, 40, 300])), int(rng.choice([2, 7, 50]))
    p, q = round(float(rng.uniform(0.02, 0.98)), 3), round(float(rng.uniform(0.02, 0.98)), 3)
    only_a = round(float(rng.uniform(0, 0.5)), 3)
    only_b = round(float(rng.uniform(0, 0.5)), 3)
    pairs = int(rng.choice([5, 20, 60]))
    one = {"larger": "greater", "smaller": "less"}.get(alternative, "two-sided")
    reached = 0.0
    for differing in range(1, pairs + 1):
        k = np.arange(differing + 1)
        rejects = np.array([binomial_p(int(v), differing, one) <= alpha for v in k])
        falls = stats.binom.pmf(k, differing, only_a / (only_a + only_b))
        reached += stats.binom.pmf(differing, pairs, only_a + only_b) * falls[rejects].sum()
    needed = None
    if alternative == "two-sided" and abs(size) > 0.2:
        needed = {
            "paired": math.ceil(power.TTestPower().solve_power(abs(size), alpha=alpha, power=0.8)),
            "groups": math.ceil(power.TTestIndPower().solve_power(abs(size), alpha=alpha, power=0.8)),
        }
    return {
        "alpha": alpha,
        "alternative": {"two-sided": "two_sided"}.get(one, one),
        "effect": size,
        "sizes": [n, m],
        "paired": number(power.TTestPower().power(size, n, alpha, alternative=alternative)),
        "groups": number(power.TTestIndPower().power(size, n, alpha, ratio=m / n, alternative=alternative)),
        "rates": [p, q],
        "proportions": number(
            power_proportions_2indep(p - q, q, n, ratio=m / n, alpha=alpha, alternative=alternative, return_results=False)
        ),
        "mcnemar": {"onlyA": only_a, "onlyB": only_b, "n": pairs, "power": number(reached)},
        "needed": needed,
    }


def family():
    values = [round(float(v), 4) for v in rng.beta(0.5, 3, int(rng.integers(1, 12)))]
    if len(values) > 3:
        values[1] = values[3]
    corrected = {}
    for name, method in (("bonferroni", "bonferroni"), ("holm", "holm"), ("benjaminiHochberg", "fdr_bh")):
        corrected[name] = [number(v) for v in multitest.multipletests(values, method=method)[1]]
    return {"values": values} | corrected


def attempts():
    n = int(rng.integers(1, 9))
    c = int(rng.integers(0, n + 1))
    k = int(rng.integers(1, n + 1))
    outcomes = [1] * c + [0] * (n - c)
    return {
        "attempts": n,
        "successes": c,
        "k": k,
        "value": number(np.mean([max(drawn) for drawn in itertools.combinations(outcomes, k)])),
    }


vectors = {
    "designs": [results(seed) for seed in range(DESIGNS)],
    "effects": [effect() for _ in range(60)],
    "powers": [powers() for _ in range(60)],
    "families": [family() for _ in range(40)],
    "attempts": [attempts() for _ in range(40)],
}
text = ",\n".join(
    f'"{name}": [\n' + ",\n".join(json.dumps(case, allow_nan=False, separators=(",", ":")) for case in cases) + "\n]"
    for name, cases in vectors.items()
)
pathlib.Path(__file__).with_name("comparisons.json").write_text("{\n" + text + "\n}\n", encoding="utf-8")
