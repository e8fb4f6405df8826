"""What a run leaves, in S3: `manifest.json` lists it and is written last, so that without it nothing counts.

An upload that is done again writes the same objects; what an earlier one left and the manifest does not list is nobody's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import TrainerError
from .provenance import sha256
from .s3 import bucket_and_key, client

SCHEMA = "gymline.model.v1"
MANIFEST = "manifest.json"


def read_manifest(url: str) -> dict[str, Any] | None:
    """That of a finished upload; None where there is none. Raises TrainerError."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = bucket_and_key(url)
    try:
        listed = client().list_objects_v2(Bucket=bucket, Prefix=f"{key}/{MANIFEST}", MaxKeys=1).get("Contents", [])
        if [entry["Key"] for entry in listed] != [f"{key}/{MANIFEST}"]:
            return None
        value = json.loads(client().get_object(Bucket=bucket, Key=f"{key}/{MANIFEST}")["Body"].read())
    except (ClientError, BotoCoreError) as error:
        raise _refused(url, error) from error
    except ValueError as error:
        raise TrainerError("it is no JSON; remove it, or give another name with --out", f"{url}/{MANIFEST}") from error
    return value if isinstance(value, dict) else {}


def upload_output(folder: Path, url: str, about: Mapping[str, Any]) -> int:
    """All of the folder but its checkpoints, then the manifest with `about` in it: the number of files. Raises TrainerError."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = bucket_and_key(url)
    s3 = client()
    listed = []
    try:
        for path in _files(folder):
            name = str(path.relative_to(folder))
            listed.append({"path": name, "bytes": path.stat().st_size, "sha256": sha256(path)})
            s3.upload_file(str(path), bucket, f"{key}/{name}")
        manifest = {"schema": SCHEMA, **about, "files": listed}
        s3.put_object(Bucket=bucket, Key=f"{key}/{MANIFEST}", Body=json.dumps(manifest, indent=1).encode())
    except (ClientError, BotoCoreError, S3UploadFailedError) as error:
        raise _refused(url, error) from error
    return len(listed)


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    skipped = lambda path: any(part == "checkpoints" or part.startswith(".tmp-") for part in path.relative_to(folder).parts[:1])
    return sorted(path for path in found if not skipped(path) and path != folder / MANIFEST)


def _refused(url: str, error: Exception) -> TrainerError:
    code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
    return TrainerError(f"S3 does not take or give the output ({code}); check address, region, credentials and rights", url)
