import dataclasses
import json

import critic
import numpy as np
import onnxruntime
import pytest
from tables import write_table

QUICK = ["--folds", "2", "--resamples", "30", "--jobs", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    table = write_table(folder / "table.jsonl")
    assert critic.main(["--table", str(table), "--out", str(folder / "out"), *QUICK]) == 0
    return table, folder / "out", json.loads((folder / "out/critic.json").read_text())


def test_same_table_and_seed_give_the_same_files_however_many_processes_train(trained, tmp_path):
    table, out, _ = trained
    assert critic.main(["--table", str(table), "--out", str(tmp_path), *QUICK, "--jobs", "2"]) == 0
    for name in ("critic.onnx", "critic.json"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def test_what_the_features_tell_is_learned_and_more_of_it_late_than_early(trained):
    prefixes = trained[2]["report"]["cross_validation"]["prefixes"]
    assert prefixes["final"]["auc"]["value"] > 0.8
    assert prefixes["final"]["auc"]["value"] > prefixes["0.25"]["auc"]["value"] + 0.05
    assert prefixes["final"]["brier"]["value"] < 0.2


def test_every_figure_has_its_n_and_an_interval_around_it(trained):
    report = trained[2]["report"]
    for part in (report["cross_validation"], report["leave_one_set_out"]):
        for name, figures in [*part["sets"].items(), *part.get("prefixes", {}).items()]:
            assert figures["n"] >= figures["successes"] > 0, name
            for measure in ("auc", "brier"):
                assert figures[measure]["low"] <= figures[measure]["value"] <= figures[measure]["high"]
        assert part["macro_sets"] == ["one", "two"]


def test_what_is_held_out_can_be_written_down_for_every_prefix(trained, tmp_path):
    table, _, document = trained
    held = tmp_path / "held.jsonl"
    options = critic.parse_options(["--table", str(table), "--out", str(tmp_path), *QUICK, "--held", str(held)])
    read = critic.read_table(table)
    critic.cross_validate(read, options)
    lines = [json.loads(line) for line in held.read_text().splitlines()]
    assert [line["id"] for line in lines] == read.id.tolist()
    assert [len(line["values"]) for line in lines] == (read.steps + 1).tolist()
    last = np.array([line["values"][-1] for line in lines])
    part = np.array([line["part"] for line in lines])
    reported = document["report"]["cross_validation"]["prefixes"]["final"]["auc"]["value"]
    assert np.isclose(critic.auc_within(last, read.label, part), reported, atol=1e-5)


def test_where_there_is_nothing_to_learn_the_evaluation_says_so(tmp_path):
    table = write_table(tmp_path / "table.jsonl", sets=("one",), informative=False, seed=3)
    assert critic.main(["--table", str(table), "--out", str(tmp_path), *QUICK]) == 0
    figures = json.loads((tmp_path / "critic.json").read_text())["report"]["cross_validation"]["prefixes"]["final"]
    assert abs(figures["auc"]["value"] - 0.5) < 0.12
    assert figures["ece"]["value"] < 0.15


def test_the_graph_has_the_width_of_the_table_and_gives_probabilities(trained):
    table, out, document = trained
    session = onnxruntime.InferenceSession(out / "critic.onnx")
    assert session.get_inputs()[0].shape[1] == len(document["features"]["names"]) == 5
    x = critic.read_table(table).x
    (p,) = session.run(None, {"features": x, "set": np.arange(len(x)) % 3})
    assert p.shape[1] == 1 and p.min() >= 0 and p.max() <= 1


@pytest.mark.parametrize("kind", critic.CANDIDATES)
def test_the_graph_of_every_candidate_gives_what_the_model_gives(tmp_path, kind):
    table = critic.read_table(write_table(tmp_path / "table.jsonl", trajectories=60))
    rows, weights = critic.thin(table, 8)
    sets = critic.find_sets(table, np.arange(len(table.label)))
    models = critic.fit_candidates(table, sets, rows, weights, 0)
    one = critic.Critic(kind, models[kind], sets, 1.3, -0.2, {})
    random = np.random.default_rng(0)
    x = np.concatenate([table.x, random.normal(scale=20, size=(500, table.x.shape[1])).astype(np.float32)])
    of_row = random.choice(["one", "two", "another"], len(x))
    assert critic.check_export(critic.to_onnx(one, x.shape[1]), one, x, of_row) < 1e-5


@pytest.mark.parametrize("kind", ["trees", "guided", "blend"])
def test_trees_never_go_against_the_direction_of_a_feature(tmp_path, kind):
    table = critic.read_table(write_table(tmp_path / "table.jsonl", informative=False, seed=5))
    rows, weights = critic.thin(table, 8)
    sets = critic.find_sets(table, np.arange(len(table.label)))
    model = critic.fit_candidates(table, sets, rows, weights, 0)[kind]
    base = np.repeat(table.x[:40], 30, axis=0)
    for column, direction in ((0, 1), (1, -1)):
        x = base.copy()
        x[:, column] = np.tile(np.linspace(-3, 6, 30), 40)
        steps = np.diff(model.logits(x).reshape(40, 30), axis=1) * direction
        assert steps.min() >= -1e-9


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "no valid JSON"),
        ("[]", "not a JSON object"),
        ('{"id": "x", "step": 0}', "KeyError"),
        ('{"id": "x", "group": "g", "set": "s", "step": 0, "steps": 1, "label": 1, "features": [1]}', "5 finite features"),
        ('{"id": "x", "group": "g", "set": "s", "step": 0, "steps": 1, "label": 1, "features": [1, 2, 3, 4, NaN]}', "5 finite features"),
        ('{"id": "x", "group": "g", "set": "s", "step": 0, "steps": 1, "label": 2, "features": [1, 2, 3, 4, 5]}', "label must be 0 or 1"),
        ('{"id": "x", "group": "g", "set": "s", "step": 2, "steps": 1, "label": 1, "features": [1, 2, 3, 4, 5]}', "between 0 and steps"),
        ('{"id": "t0", "group": "elsewhere", "set": "one", "step": 0, "steps": 1, "label": 1, "features": [1, 2, 3, 4, 5]}', "differs from earlier rows"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(tmp_path, capsys, line, says):
    table = write_table(tmp_path / "table.jsonl", trajectories=3, spare=[line])
    number = len(table.read_text().splitlines())
    assert critic.main(["--table", str(table), "--out", str(tmp_path / "out")]) == 1
    message = capsys.readouterr().err
    assert f"TableError: {table}:{number}: " in message and says in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        ({"trajectories": 10}, "10 trajectories"),
        ({"groups": 2}, "2 groups"),
        ({"trajectories": 0}, "no rows"),
    ],
)
def test_too_little_data_is_an_error_of_that_name(tmp_path, capsys, make, says):
    table = write_table(tmp_path / "table.jsonl", **make)
    assert critic.main(["--table", str(table), "--out", str(tmp_path / "out")]) == 1
    message = capsys.readouterr().err
    assert "TooLittleDataError: " in message and says in message


def test_one_outcome_only_is_too_little(tmp_path, capsys):
    table = write_table(tmp_path / "table.jsonl")
    table.write_text(table.read_text().replace('"label": 1', '"label": 0'))
    assert critic.main(["--table", str(table), "--out", str(tmp_path / "out")]) == 1
    assert "0 successes" in capsys.readouterr().err


def test_a_table_that_is_not_there_is_named(tmp_path, capsys):
    assert critic.main(["--table", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "none cannot be read" in capsys.readouterr().err


def test_folds_never_split_a_group(tmp_path):
    table = critic.read_table(write_table(tmp_path / "table.jsonl"))
    for seed in range(5):
        fold = critic.fold_of(table, np.arange(len(table.label)), 4, seed)
        for group in set(table.group):
            assert len(set(fold[table.group == group])) == 1


def test_every_trajectory_weighs_the_same_however_long_it_is(tmp_path):
    table = critic.read_table(write_table(tmp_path / "table.jsonl"))
    rows, weights = critic.thin(table, 4)
    assert np.allclose(np.bincount(table.trajectory[rows], weights), 1)
    assert np.bincount(table.trajectory[rows]).max() <= 4
    assert set(np.unique(table.trajectory[rows])) == set(range(len(table.label)))


def test_the_row_at_a_fraction_is_the_longest_prefix_within_it(tmp_path):
    table = critic.read_table(write_table(tmp_path / "table.jsonl"))
    for fraction in critic.FRACTIONS.values():
        rows = critic.row_at(table, fraction)
        assert (table.trajectory[rows] == np.arange(len(table.label))).all()
        assert (table.step[rows] == np.maximum(1, np.floor(fraction * table.steps))).all()


def test_auc_is_the_share_of_pairs_in_order():
    random = np.random.default_rng(0)
    for _ in range(50):
        p, y = random.integers(0, 6, 30) / 5, random.integers(0, 2, 30)
        pairs = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
        assert np.isclose(critic.auc(p, y), np.mean(pairs))
    assert np.isnan(critic.auc(np.ones(3), np.ones(3)))


def test_auc_counts_no_pair_of_different_models():
    p, y = np.array([0.1, 0.2, 0.8, 0.9, 0.5]), np.array([0, 1, 0, 1, 1])
    assert critic.auc(p, y) == 4 / 6
    assert critic.auc_within(p, y, np.array([0, 0, 1, 1, 2])) == 1
    assert np.isnan(critic.auc_within(p, y, np.arange(5)))


def test_relative_features_are_taken_from_the_median_of_whole_runs_of_the_set(tmp_path):
    table = critic.read_table(write_table(tmp_path / "table.jsonl"))
    sets = critic.find_sets(table, np.arange(len(table.label)))
    assert sets.names == ("one", "two")
    assert (sets.medians[:, ~table.relative] == 0).all()
    for number, name in ((1, "one"), (2, "two")):
        assert np.isclose(sets.medians[number, 2], np.median(np.log1p(table.steps[table.set == name])), atol=1e-4)
    assert np.isclose(sets.medians[0, 2], np.median(np.log1p(table.steps)), atol=1e-4)
    assert sets.number(np.array(["two", "never seen", "one"])).tolist() == [2, 0, 1]
    few = np.flatnonzero(table.set == "one")[: critic.MIN_FOR_MEDIAN - 1]
    all_relative = dataclasses.replace(table, relative=np.ones(5, dtype=bool))
    some = critic.find_sets(all_relative, np.concatenate([few, np.flatnonzero(table.set == "two")]))
    assert (some.medians[1] == some.medians[0]).all() and (some.medians[2] != some.medians[0]).any()


def test_ece_weighs_the_gap_of_each_bin_by_its_share():
    p = np.array([0.05, 0.05, 0.95, 0.95, 1.0, 0.5])
    y = np.array([0, 1, 1, 1, 1, 0])
    gaps = [2 * abs(0.05 - 0.5), 3 * abs((0.95 + 0.95 + 1) / 3 - 1), 0.5]
    assert np.isclose(critic.ece(p, y), sum(gaps) / 6)


def test_ece_of_exact_probabilities_is_near_its_floor():
    random = np.random.default_rng(0)
    p = random.random(400)
    drawn = np.mean([critic.ece(p, (random.random(400) < p).astype(int)) for _ in range(100)])
    assert abs(drawn - critic.ece_floor(p, random)) < 0.01


def test_the_bootstrap_draws_whole_groups():
    groups = np.array(["a", "a", "b", "c", "c", "c"])
    for draw in critic.group_draws(groups, 50, 0):
        for name in "abc":
            size = (groups == name).sum()
            assert (groups[draw] == name).sum() % size == 0


def test_a_threshold_as_float32_parts_float32_numbers_as_before():
    random = np.random.default_rng(0)
    for threshold in random.normal(size=2000):
        x = np.float32(threshold)
        near = [x, np.nextafter(x, np.float32(9)), np.nextafter(x, np.float32(-9))]
        for value in near:
            assert (float(value) <= threshold) == (value <= np.float32(critic.float32_below(float(threshold))))
