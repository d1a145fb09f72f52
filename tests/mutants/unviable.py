#!/usr/bin/env python3
"""Says, on standard output, which woven mutants (`weave.py`) the compiler refused: unviable.py WOVEN MESSAGES."""

import json
import pathlib
import sys

woven, messages = map(pathlib.Path, sys.argv[1:])
places = json.loads(woven.read_text())["places"]
refused = set()
for line in messages.read_text().splitlines():
    message = json.loads(line).get("message") or {}
    for span in message.get("spans", []) if message.get("level") == "error" else []:
        here = (
            number
            for file, first, last, number, _ in places
            if span["is_primary"] and span["file_name"] == file and first <= span["line_start"] <= last
        )
        refused.update(here)
print(*sorted(refused), sep="\n")
