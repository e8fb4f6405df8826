"""Datasets in S3: what is not here yet is downloaded into the cache, under its hash."""

import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import Faults, TrainerError
from .provenance import sha256
from .sources import parse_manifest, split_files


def client() -> Any:
    """The S3 client of boto3, with the region, the credentials and the endpoint of the environment."""
    try:
        import boto3
    except ImportError as error:
        raise TrainerError("s3:// needs boto3; install it with `pip install boto3`") from error
    return boto3.client("s3")


def bucket_and_key(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket:
        raise TrainerError("it is no S3 address; write s3://bucket/key", url)
    return bucket, key.rstrip("/")


def download(url: str, split: str, cache: Path) -> Path:
    """The folder, or the file, on this machine. Files whose hash is known and that are here already are not fetched again.

    Raises TrainerError where S3 does not give them, DataError where the manifest is none.
    """
    bucket, key = bucket_and_key(url)
    s3 = client()
    if key.endswith((".jsonl", ".parquet")):
        return fetched(s3, url, bucket, key, cache / "s3" / bucket / key)
    folder = cache / "s3" / bucket / key
    path = fetched(s3, f"{url}/manifest.json", bucket, f"{key}/manifest.json", folder / "manifest.json")
    faults = Faults()
    manifest = parse_manifest(path.read_bytes(), f"{url}/manifest.json", faults)
    listed = [] if manifest is None else split_files(manifest, split, url, faults)
    faults.raise_if_any()
    for entry in listed:
        name = entry["path"]
        here = folder / name
        if here.is_file() and here.stat().st_size == entry["bytes"] and sha256(here) == entry["sha256"]:
            continue
        fetched(s3, f"{url}/{name}", bucket, f"{key}/{name}", here)
    return folder


def fetched(s3: Any, url: str, bucket: str, key: str, path: Path) -> Path:
    """Written beside and moved, so that what is in the cache is whole."""
    from botocore.exceptions import BotoCoreError, ClientError

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    os.close(handle)
    try:
        s3.download_file(bucket, key, beside)
        os.replace(beside, path)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        remedy = "check the address" if code in ("404", "NoSuchKey", "NoSuchBucket") else "check credentials and rights"
        raise TrainerError(f"S3 does not give it ({code}); {remedy}", url) from error
    except (BotoCoreError, OSError) as error:
        raise TrainerError(f"it cannot be fetched ({type(error).__name__}); check region, credentials and network", url) from error
    finally:
        Path(beside).unlink(missing_ok=True)
    return path
