#!/usr/bin/env python3
"""Weaves mutants into the tree it stands in, so that one build holds all of them and `RHEMA_MUTANT` says which one lives.

    weave.py TREE SAMPLE LEFT_OUT WOVEN

SAMPLE: mutants as `cargo mutants --list --json` tells them, each with its number as `id`. LEFT_OUT: numbers not to weave. WOVEN: where to
say what stands where, for `unviable.py`. A function that has mutants becomes a `match` over itself with one change each. What cannot be
asked at run time (constants, `const fn`), or would be of another type in each arm (`impl Trait`), is said and left out.
"""

import json
import pathlib
import re
import sys

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'|[{}]', re.S
)

ASKED = """
/// Which mutant lives. Where `RHEMA_MUTANTS_REACHED` names a file, who asked is written there, once.
#[doc(hidden)]
#[allow(clippy::all, missing_docs)]
pub fn mutant(of: usize) -> u32 {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    static LIVES: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        std::env::var("RHEMA_MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(u32::MAX)
    });
    static REACHED: std::sync::LazyLock<Option<std::ffi::OsString>> =
        std::sync::LazyLock::new(|| std::env::var_os("RHEMA_MUTANTS_REACHED"));
    static SEEN: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];
    if let Some(path) = &*REACHED
        && !SEEN[of].swap(true, Ordering::Relaxed)
    {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(format!("{of}\\n").as_bytes()));
    }
    *LIVES
}
"""


def body_of(text, start, end):
    """Where the braces of the last block of a function stand."""
    open_at, opened = None, []
    for token in TOKEN.finditer(text, start, end):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            begin = opened.pop()
            if not opened and token.end() == end:
                open_at = begin
    return open_at


def main():
    tree, sample, left_out, woven = map(pathlib.Path, sys.argv[1:])
    mutants = json.loads(sample.read_text())
    left_out = {int(number) for number in left_out.read_text().split()}
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant["file"], []).append(mutant)
    places, skipped, asks = [], [], 0
    for file, mutants in sorted(by_file.items()):
        path = tree / file
        text = path.read_text()
        lines = [0]
        for line in text.splitlines(keepends=True):
            lines.append(lines[-1] + len(line))
        at = lambda place: lines[place["line"] - 1] + place["column"] - 1
        functions = {}
        for mutant in mutants:
            if mutant["id"] in left_out:
                continue
            if not mutant["function"]:
                skipped.append(mutant["id"])
                continue
            span = mutant["function"]["span"]
            functions.setdefault((at(span["start"]), at(span["end"])), []).append(mutant)
        # A function inside another one is changed together with it.
        for inner in sorted(functions, key=lambda span: span[0] - span[1], reverse=True):
            around = [span for span in functions if span != inner and span[0] <= inner[0] and inner[1] <= span[1]]
            if around:
                functions[around[0]] += functions.pop(inner)
        out, done = [], 0
        for (start, end), mutants in sorted(functions.items()):
            begin = body_of(text, start, end)
            head = text[start:begin] if begin else ""
            if not begin or re.search(r"\bconst (unsafe )?fn\b", head) or re.search(r"->.*\bimpl\b", head, re.S):
                skipped += [mutant["id"] for mutant in mutants]
                continue
            out.append(text[done : begin + 1])
            out.append(f" match crate::mutant({asks}) {{\n")
            for mutant in mutants:
                first, last = at(mutant["span"]["start"]), at(mutant["span"]["end"])
                arm = text[begin + 1 : first] + " " + mutant["replacement"] + " " + text[last : end - 1]
                line = sum(part.count("\n") for part in out) + 1
                arm = f"{mutant['id']} => {{{arm}\n}}\n"
                out.append(arm)
                places.append([file, line, line + arm.count("\n") - 1, mutant["id"], asks])
            out.append("_ => {" + text[begin + 1 : end - 1] + "\n} } ")
            done = end - 1
            asks += 1
        out.append(text[done:])
        path.write_text("".join(out))
    (tree / "src/lib.rs").open("a").write(ASKED)
    woven.write_text(json.dumps({"places": places, "skipped": skipped}))
    print(f"{len(places)} mutants in {asks} functions, {len(skipped)} cannot be woven")


main()
