import shutil

import bucket
import pytest
import runs
import tiny

from gymline_trainer.checkpoints import Checkpoints
from gymline_trainer.errors import TrainerError


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """The folder of the bucket `data`."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    home = tmp_path / "served"
    (home / "data").mkdir(parents=True)
    with bucket.serving(home) as address:
        for name, value in bucket.settings(address, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
        yield home / "data"


def written(text):
    def write(folder):
        (folder / "model").mkdir()
        (folder / "model/weights").write_text(text)

    return write


def remote(folder, **more):
    from gymline_trainer.s3_folder import S3Folder

    return Checkpoints(folder, remote=S3Folder("s3://data/runs/one"), **more)


def test_a_machine_without_checkpoints_takes_the_newest_whole_one_from_s3(s3, tmp_path):
    kept = remote(tmp_path / "first", keep=2)
    for step in (1, 2, 3):
        kept.save(step, written(f"weights {step}"))
    assert sorted(path.name for path in (s3 / "runs/one").iterdir() if any(path.rglob("*.json"))) == ["step-00000002", "step-00000003"]
    found = remote(tmp_path / "second").newest()
    assert (found.step, (found.path / "model/weights").read_text()) == (3, "weights 3")


def test_an_upload_that_was_cut_off_is_no_checkpoint_and_a_changed_one_is_passed_over(s3, tmp_path):
    kept = remote(tmp_path / "first")
    for step in (1, 2, 3):
        kept.save(step, written(f"weights {step}"))
    (s3 / "runs/one/step-00000003/complete.json").unlink()
    (s3 / "runs/one/step-00000002/model/weights").write_text("weights X")
    warned = []
    assert remote(tmp_path / "second", warn=warned.append).newest().step == 1
    assert len(warned) == 1 and "s3://data/runs/one/step-00000002" in warned[0]


def test_one_that_was_spoilt_here_is_fetched_again(s3, tmp_path):
    kept = remote(tmp_path / "first", warn=lambda _: None)
    path = kept.save(1, written("weights"))
    (path / "model/weights").write_text("spoilt!")
    assert (kept.newest().path / "model/weights").read_text() == "weights"


def test_a_run_goes_on_from_s3_on_another_machine_to_the_same_bits(s3, tmp_path):
    tiny.saved(tmp_path / "model")
    data = runs.dataset(tmp_path / "set", "dpo")
    given = {"data": data, "model": tmp_path / "model", "save_steps": 1, "epochs": 1}
    assert runs.train("dpo", **given, out=tmp_path / "undisturbed") == 0
    first = {**given, "out": tmp_path / "first", "checkpoints": "s3://data/runs/two"}
    assert runs.train("dpo", **first) == 0
    # As if the machine had gone after step 2.
    for name in ("step-00000003", "step-00000004"):
        shutil.rmtree(s3 / "runs/two" / name)
    assert runs.train("dpo", **{**first, "out": tmp_path / "second"}) == 0
    assert runs.result(tmp_path / "second") == runs.result(tmp_path / "undisturbed") == runs.result(tmp_path / "first")


def test_a_bucket_that_does_not_answer_is_named(s3, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(TrainerError, match="s3://data/runs/one"):
        remote(tmp_path / "first").save(1, written("weights"))
    assert Checkpoints(tmp_path / "first").newest().step == 1
