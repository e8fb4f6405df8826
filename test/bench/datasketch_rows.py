"""Finds near-duplicates among rows of features with datasketch: signatures, buckets, exact similarity of candidates.

Called with a file of 32-bit numbers: for each row its length, then its features. Prints seconds and pairs found.
"""

import json
import sys
import time

import numpy
from datasketch import MinHash, MinHashLSH

THRESHOLD = 0.85


def main(path: str) -> None:
    numbers = numpy.fromfile(path, dtype=numpy.uint32)
    rows = []
    at = 0
    while at < len(numbers):
        length = int(numbers[at])
        rows.append(numbers[at + 1 : at + 1 + length])
        at += 1 + length
    started = time.perf_counter()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    found = 0
    sets = [frozenset(row.tolist()) for row in rows]
    for number, row in enumerate(sets):
        # The features are hashes already.
        signature = MinHash(num_perm=128, hashfunc=int)
        signature.update_batch(row)
        for other in index.query(signature):
            shared = len(row & sets[other])
            if shared / (len(row) + len(sets[other]) - shared) >= THRESHOLD:
                found += 1
        index.insert(number, signature)
    print(json.dumps({"seconds": time.perf_counter() - started, "found": found}))


if __name__ == "__main__":
    main(sys.argv[1])
