"""A bucket as S3 gives it by path, on loopback: objects are files. Listing, reading, writing and removing."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class _Objects(BaseHTTPRequestHandler):
    home: Path
    protocol_version = "HTTP/1.1"

    def _path(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return unquote(parts.path).lstrip("/"), parse_qs(parts.query, keep_blank_values=True)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path, query = self._path()
        if "list-type" in query:
            self._list(path.strip("/"), query)
            return
        file = self.home / path
        if not file.is_file():
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        data = file.read_bytes()
        self._answer(200, data, ETag=f'"{hashlib.md5(data).hexdigest()}"', Last_Modified="Tue, 01 Dec 2026 00:00:00 GMT")

    do_HEAD = do_GET

    def _list(self, bucket: str, query: dict[str, list[str]]) -> None:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        root = self.home / bucket
        keys = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        found = [key for key in keys if key.startswith(prefix)]
        folders = sorted({prefix + key[len(prefix) :].split(delimiter)[0] + delimiter for key in found if delimiter and delimiter in key[len(prefix) :]})
        entries = [key for key in found if not any(key.startswith(folder) for folder in folders)]
        body = "".join(f"<Contents><Key>{escape(key)}</Key>{_facts(root / key)}</Contents>" for key in entries)
        body += "".join(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders)
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{body}</ListBucketResult>".encode(), Content_Type="application/xml")

    def do_PUT(self) -> None:
        path, _ = self._path()
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", "") or self.headers.get("x-amz-decoded-content-length"):
            data = _unchunked(data)
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self._answer(200, ETag=f'"{hashlib.md5(data).hexdigest()}"')

    def do_DELETE(self) -> None:
        (self.home / self._path()[0]).unlink(missing_ok=True)
        self._answer(204)

    def log_message(self, *_: object) -> None:
        pass


def _facts(file: Path) -> str:
    found = file.stat()
    time = datetime.fromtimestamp(int(found.st_mtime), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return f"<Size>{found.st_size}</Size><LastModified>{time}</LastModified>"


def _unchunked(data: bytes) -> bytes:
    out = b""
    while data:
        head, _, rest = data.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if size == 0:
            break
        out, data = out + rest[:size], rest[size + 2 :]
    return out


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The address of a server whose buckets are the folders of `home`."""
    handler = type("Objects", (_Objects,), {"home": home})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings(address: str, folder: Path) -> dict[str, str]:
    """What boto3 needs to find it."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
