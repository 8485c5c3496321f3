#!/usr/bin/env bash
# The benches of BENCHMARKS.md: builds everything, then measures in a network namespace of its own. `bench/run.sh --help` for options.
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$bench/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export LINSOCK_BENCH_DIR=$target/bench PYTHONDONTWRITEBYTECODE=1 LINSOCK_BENCH_PRIVATE=
mkdir -p "$LINSOCK_BENCH_DIR"

build() {
    local warnings=(-O2 -Wall -Wextra)
    "${CC:-cc}" "${warnings[@]}" -o "$LINSOCK_BENCH_DIR/load" bench/load.c
    "${CC:-cc}" "${warnings[@]}" -o "$LINSOCK_BENCH_DIR/epoll_server" bench/epoll_server.c
    case " $* " in *" --noise "*) return ;; esac # needs no more than these
    cargo build --release
    for program in iocp_server iocp_client wsk_server rio_server; do
        "$target/release/linsock" cc "${warnings[@]}" bench/$program.c -o "$LINSOCK_BENCH_DIR/$program"
    done
    if command -v wine >/dev/null && command -v x86_64-w64-mingw32-gcc >/dev/null; then
        x86_64-w64-mingw32-gcc "${warnings[@]}" bench/iocp_server.c -o "$LINSOCK_BENCH_DIR/iocp_server.exe" -lws2_32 -lmswsock
    fi
    case " $* " in *" --peers "*) build_peers "${warnings[@]}" ;; esac
}

# --peers: the servers of other libraries. What cannot be built here is left out, by name.
build_peers() {
    local rust=(tokio_server compio_server linsock_server) options=("$@")
    (cd "$LINSOCK_BENCH_DIR" && rm -f uring_server asio_server "${rust[@]}")
    if includes "${CC:-cc}" c liburing.h; then
        "${CC:-cc}" "${options[@]}" -o "$LINSOCK_BENCH_DIR/uring_server" bench/uring_server.c -luring
    else
        echo "io_uring: left out (needs liburing; Debian: liburing-dev)"
    fi
    if includes "${CXX:-c++}" c++ asio.hpp; then
        "${CXX:-c++}" -std=c++17 "${options[@]}" -DASIO_STANDALONE -DASIO_DISABLE_THREADS \
            -o "$LINSOCK_BENCH_DIR/asio_server" bench/asio_server.cpp
    else
        echo "asio: left out (needs a C++ compiler and Asio; Debian: g++, libasio-dev)"
    fi
    if cargo build --release --manifest-path bench/peers/Cargo.toml --target-dir "$LINSOCK_BENCH_DIR/target-peers"; then
        (cd "$LINSOCK_BENCH_DIR/target-peers/release" && cp "${rust[@]}" "$LINSOCK_BENCH_DIR")
    else
        echo "tokio, compio, rust: left out (cargo cannot build bench/peers)"
    fi
}

# COMPILER LANGUAGE HEADER
includes() {
    command -v "$1" >/dev/null && echo "#include <$3>" | "$1" -x "$2" -DASIO_STANDALONE -E - >/dev/null 2>&1
}

# --against REVISION: the same server on the library as it was then.
build_before() {
    while [ $# -gt 0 ] && [ "$1" != --against ]; do shift; done
    [ $# -gt 1 ] || return 0
    local before=$LINSOCK_BENCH_DIR/before
    rm -rf "$before" && mkdir -p "$before" && git archive "$2" | tar -xm -C "$before" # of now, or cargo takes what it built of another revision
    (cd "$before" && cargo build --release --target-dir "$LINSOCK_BENCH_DIR/target-before")
    "$LINSOCK_BENCH_DIR/target-before/release/linsock" cc -O2 bench/iocp_server.c -o "$LINSOCK_BENCH_DIR/iocp_server_before"
}

# More ephemeral ports, and a bound on TIME_WAIT so that the first run and the last see the same kernel tables. Tracepoints, where we
# may, for counting system calls. None of this is seen outside the namespaces, which end with the run.
# shellcheck disable=SC2016 # expanded inside
inside='
    ip link set lo up
    echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range && echo 16384 >/proc/sys/net/ipv4/tcp_max_tw_buckets &&
        LINSOCK_BENCH_PRIVATE=1
    [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
    exec python3 bench/run.py "$@"'

case " $* " in *" --help "* | *" -h "*) exec python3 bench/run.py --help ;; esac
build "$@"
build_before "$@"
for private in "unshare --net --mount" "unshare --map-root-user --net --mount"; do
    # shellcheck disable=SC2086 # words
    if $private true 2>/dev/null; then
        exec $private sh -c "$inside" sh "$@"
    fi
done
exec python3 bench/run.py "$@"
