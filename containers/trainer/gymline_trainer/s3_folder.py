"""A prefix in S3 as a folder of folders."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import TrainerError
from .s3 import bucket_and_key, client


class S3Folder:
    """Raises TrainerError where S3 does not do as asked."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._bucket, key = bucket_and_key(url)
        self._prefix = f"{key}/" if key else ""
        self._s3 = client()

    def folders(self) -> list[str]:
        with self._named():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix, Delimiter="/")
            return [entry["Prefix"][len(self._prefix) :].rstrip("/") for page in pages for entry in page.get("CommonPrefixes", [])]

    def has(self, path: str) -> bool:
        return f"{self._prefix}{path}" in self._keys(path)

    def upload(self, folder: Path, name: str, last: str) -> None:
        """last: the file whose presence says that all is there; the one before is taken away first."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != last)
        with self._named():
            self._s3.delete_object(Bucket=self._bucket, Key=f"{self._prefix}{name}/{last}")
            for path in [*files, folder / last]:
                self._s3.upload_file(str(path), self._bucket, f"{self._prefix}{name}/{path.relative_to(folder)}")

    def download(self, name: str, folder: Path) -> None:
        start = f"{self._prefix}{name}/"
        with self._named():
            for key in self._keys(f"{name}/"):
                path = folder / key[len(start) :]
                path.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(self._bucket, key, str(path))

    def remove(self, name: str, first: str) -> None:
        """first: the file without which the rest counts for nothing."""
        start = f"{self._prefix}{name}/"
        is_other: Callable[[str], bool] = lambda key: key != f"{start}{first}"
        with self._named():
            for key in sorted(self._keys(f"{name}/"), key=is_other):
                self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _keys(self, path: str) -> list[str]:
        with self._named():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{path}")
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    @contextmanager
    def _named(self) -> Iterator[None]:
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
            raise TrainerError(f"S3 does not take or give checkpoints ({code}); check address, region, credentials and rights", self.url) from error
