"""A model's folder in S3, fetched into the cache: its configuration, tokenizer and weights, and nothing else that lies there.

Weights are those that Transformers would load: the files of `model.safetensors.index.json`, or `model.safetensors`. Pickled
ones are refused: to read them is to run what is in them.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from .errors import TrainerError
from .s3 import bucket_and_key, client, fetched

_INDEX = "model.safetensors.index.json"
_SMALL = re.compile(
    r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json"
    r"|(merges|vocab)\.txt|chat_template\.jinja|[\w.-]+\.(model|tiktoken)"
)


def model_folder(url: str, cache: Path, weights: bool = True) -> Path:
    """weights: false for its tokenizer alone. Raises TrainerError where there is no model, or one that cannot be trained."""
    bucket, key = bucket_and_key(url)
    s3 = client()
    url = f"s3://{bucket}/{key}"
    objects = _objects(s3, url, bucket, f"{key}/")
    _check(url, objects)
    folder = cache / "s3" / bucket / key
    wanted = [name for name in objects if _SMALL.fullmatch(name)]
    if weights and _INDEX in objects:
        _bring(s3, url, bucket, key, folder, {_INDEX: objects[_INDEX]})
        shards = _shards(folder / _INDEX, f"{url}/{_INDEX}")
        missing = [name for name in shards if name not in objects]
        if missing:
            raise TrainerError(f"its index names {missing[0]}, which is not there; copy the model again", url)
        wanted += [_INDEX, *shards]
    elif weights and "model.safetensors" in objects:
        wanted.append("model.safetensors")
    _bring(s3, url, bucket, key, folder, {name: objects[name] for name in wanted})
    return folder


def _check(url: str, objects: dict[str, Any]) -> None:
    if not objects:
        raise TrainerError("nothing lies there; check the address", url)
    if "config.json" not in objects:
        if "adapter_config.json" in objects:
            raise TrainerError("it is an adapter; merge it into its model first, and give that", url)
        inner = next((name for name in ("model", "trained") if f"{name}/config.json" in objects), None)
        raise TrainerError(f"it is no model (it has no config.json): give {f'{url}/{inner}' if inner else 'the folder of a model'}", url)
    if any(name.endswith((".bin", ".pt", ".pth")) for name in objects) and not any(name.endswith(".safetensors") for name in objects):
        raise TrainerError("its weights are pickled; save it with `save_pretrained`, which writes safetensors, and copy that", url)


def _shards(index: Path, place: str) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        if all(isinstance(name, str) and re.fullmatch(r"[\w.-]+\.safetensors", name) for name in names):
            return names
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise TrainerError("it is no index of weights; copy the model again", place)


def _bring(s3: Any, url: str, bucket: str, key: str, folder: Path, objects: dict[str, Any]) -> None:
    """A file that was fetched bears the time of its object, so that one that was replaced is fetched again."""
    for name, (size, time) in objects.items():
        here = folder / name
        if here.is_file() and here.stat().st_size == size and int(here.stat().st_mtime) == time:
            continue
        fetched(s3, f"{url}/{name}", bucket, f"{key}/{name}", here)
        os.utime(here, (time, time))


def _objects(s3: Any, url: str, bucket: str, prefix: str) -> dict[str, tuple[int, int]]:
    """Size and time of all below the prefix, by what follows it."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [entry for page in pages for entry in page.get("Contents", [])]
    except (ClientError, BotoCoreError) as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        raise TrainerError(f"S3 does not list it ({code}); check address, region, credentials and rights", url) from error
    return {entry["Key"][len(prefix) :]: (entry["Size"], int(entry["LastModified"].timestamp())) for entry in entries}
