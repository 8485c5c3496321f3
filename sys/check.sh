#!/usr/bin/env bash
# Builds examples/windows-sys as each of the versions of windows-sys that a crate here answers to, and runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/windows-sys
mkdir -p "$target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# VERSION CRATE DIRECTORY: as a project of a user's own would have it.
run_with() {
    local project=$scratch/$1
    mkdir "$project"
    cp -r examples/windows-sys/src "$project"
    sed -e "s|^windows-sys = { version = \"0.61\"|windows-sys = { version = \"$1\"|" \
        -e "s|^windows-link = .*|$2 = { path = \"$root/sys/$3\" }|" \
        -e "s|\.\./\.\./ws2_32|$root/ws2_32|" examples/windows-sys/Cargo.toml >"$project/Cargo.toml"
    cp Cargo.lock "$project" # the same versions of everything else
    echo -n "windows-sys $1: "
    cargo run --release --quiet --manifest-path "$project/Cargo.toml" --target-dir "$target" -- 4000
}

run_with 0.59 windows-targets windows-targets-0.52
run_with 0.60 windows-targets windows-targets-0.53
run_with 0.61 windows-link windows-link
