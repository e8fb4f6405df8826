import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tiny

from gymline_trainer.errors import DataError, TrainerError
from gymline_trainer.rows import open_dataset


class _Objects(SimpleHTTPRequestHandler):
    """A bucket as S3 gives it by path: GET and HEAD of objects. `requests` counts what was read."""

    requests: list[str] = []

    def do_GET(self):
        _Objects.requests.append(self.path.split("?")[0])
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A server on loopback whose folder `data` is a bucket, and boto3 pointed at it."""
    pytest.importorskip("boto3", reason="boto3 is not installed")
    home = tmp_path / "served"
    (home / "data").mkdir(parents=True)
    _Objects.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Objects, directory=str(home)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "GYMLINE_TRAINER_CACHE": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    yield home / "data"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_version_in_s3_is_read_like_one_here_and_fetched_once(bucket):
    rows = [tiny.sft_row(number) for number in range(3)]
    tiny.write_dataset(bucket / "sets/tiny/v1", "sft-messages", {"train": rows, "test": rows}, shard_rows=2)
    dataset = open_dataset("s3://data/sets/tiny/v1", "sft")
    assert [sample.id for sample in dataset] == [row["id"] for row in rows]
    assert not any("test-" in path for path in _Objects.requests)
    _Objects.requests = []
    assert len(open_dataset("s3://data/sets/tiny/v1/", "sft")) == 3
    assert _Objects.requests == ["/data/sets/tiny/v1/manifest.json"]


def test_an_object_that_is_not_what_the_manifest_says_is_named(bucket):
    folder = tiny.write_dataset(bucket / "v1", "sft-messages", {"train": [tiny.sft_row()]})
    path = folder / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Fix", b"Mix"))
    with pytest.raises(DataError, match="train.jsonl: its SHA-256 is not the one in the manifest"):
        open_dataset("s3://data/v1", "sft")


def test_what_is_not_there_is_told_with_its_address(bucket):
    with pytest.raises(TrainerError, match=r"s3://data/nothing/manifest.json: S3 does not give it \(404\); check the address"):
        open_dataset("s3://data/nothing", "sft")
    with pytest.raises(TrainerError, match="it is no S3 address"):
        open_dataset("s3://", "sft")
