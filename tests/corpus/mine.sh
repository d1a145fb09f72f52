#!/bin/sh
# Rebuilds the corpus: clones the listed public repositories (some 4 GB) and mines their merges.
#   tests/corpus/mine.sh CLONES OUT [mine options…]
# Clones that are already in CLONES are used as they are.
set -eu
clones=${1:?folder for the clones} out=${2:?folder for the cases}
shift 2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$clones"

set -- --out "$out" "$@"
while read -r name; do
  into="$clones/$(echo "$name" | tr / +).git"
  [ -d "$into" ] || git clone --bare "https://github.com/$name" "$into"
  set -- "$@" "$into"
done <"$here/repositories"

exec cargo run --release --manifest-path "$here/../../Cargo.toml" --example corpus -- mine "$@"
