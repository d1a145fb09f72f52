#!/usr/bin/env python3
"""Asks the tests about each mutant that was woven (`weave.py`).

    ask.py PLACE RESULTS SUITE…

PLACE holds the tree, the sample, what was woven and left out, and what cargo said of the build. RESULTS: a mutant a line, its verdict first;
those that stand there are not asked about again. A verdict is the first suite that notices, `missed`, or `unviable`. Suites make as
many random cases as `cargo test` has them make, unless PROPTEST_CASES says how many; those that take least are asked first.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys

# About time and size alone, or of many files; and one test that fails is enough.
HOW = ["--skip", "sizes::", "--skip", "real_files", "-Z", "unstable-options", "--fail-fast"]
# Of processor time, as others may use the machine: what a mutant may take beyond this many times the usual is endless.
ENDLESS = 8


def asked(program, tree, **environment):
    """Whether all tests pass, and the seconds that they took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = environment.pop("seconds", 600)

    def limited():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    fixed = {"RUST_BACKTRACE": "0", "PROPTEST_RNG_SEED": "1", "RUSTC_BOOTSTRAP": "1"}
    environment = fixed | dict(os.environ) | environment
    try:
        code = subprocess.run(
            [program, "--quiet", *HOW],
            cwd=tree,
            env=environment,
            preexec_fn=limited,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60 * seconds,
        ).returncode
    except subprocess.TimeoutExpired:
        code = 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code == 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def seeds(tree):
    """What the tests wrote down of cases that failed: those of one mutant are none of the next one's."""
    return {path: path.read_bytes() for path in tree.rglob("*") if "regressions" in str(path) and path.is_file()}


def main():
    place, results = map(pathlib.Path, sys.argv[1:3])
    suites, tree = sys.argv[3:], place / "tree"
    programs = {}
    for line in (place / "messages.json").read_text().splitlines():
        message = json.loads(line)
        if message.get("executable") and message["profile"]["test"]:
            programs[message["target"]["name"]] = message["executable"]
    reached, usual, written = {}, {}, seeds(tree)
    for suite in suites:
        there = place / "reached"
        there.unlink(missing_ok=True)
        passes, usual[suite] = asked(programs[suite], tree, RHEMA_MUTANTS_REACHED=str(there.absolute()))
        assert passes, f"{suite} fails without a mutant"
        reached[suite] = {int(number) for number in there.read_text().split()}
        print(f"{suite}: {usual[suite]:.1f} s, comes to {len(reached[suite])} functions", flush=True)
    left_out = {int(number) for number in (place / "left-out").read_text().split()}
    suites.sort(key=usual.get)
    asks = {number: asks for *_, number, asks in json.loads((place / "woven.json").read_text())["places"]}
    known = {line.split("\t")[1] for line in results.read_text().splitlines()} if results.exists() else set()
    with results.open("a") as results:
        for mutant in json.loads((place / "sample.json").read_text()):
            number = mutant["id"]
            if mutant["name"] in known or number not in left_out and number not in asks:
                continue
            verdict = "unviable" if number in left_out else "missed"
            for suite in suites if number in asks else []:
                if asks[number] not in reached[suite]:
                    continue
                seconds = int(ENDLESS * usual[suite]) + 5
                if not asked(programs[suite], tree, RHEMA_MUTANT=str(number), seconds=seconds)[0]:
                    verdict = suite
                    for path in seeds(tree).keys() - written.keys():
                        path.unlink()
                    for path, text in written.items():
                        path.write_bytes(text)
                    break
            print(verdict, mutant["name"], sep="\t", file=results, flush=True)


main()
