"""linsock's servers beside those of its peers: what run.py does with --peers. Every figure is held against epoll's in the round."""

from dataclasses import dataclass

from run import (
    CPU, CYCLE, CYCLE_ONE, ECHO, ECHO_BIG, ECHO_ONE, PROGRAMS, RATE, SYSCALLS, CannotCount, beside_wine, epoll, iocp,
)

LOADS = [ECHO, ECHO_ONE, ECHO_BIG, CYCLE, CYCLE_ONE]
YARDSTICK = "epoll"


@dataclass(frozen=True)
class Server:
    label: str
    program: str
    arguments: tuple = ()  # after the size of a message
    cycle_only: bool = False

    def is_built(self):
        return (PROGRAMS / self.program).exists()

    def command(self, load):
        return [PROGRAMS / self.program, load.size, *self.arguments]


SERVERS = [
    Server(YARDSTICK, "epoll_server"),
    Server("io_uring", "uring_server"),
    Server("iocp", "iocp_server", (1, "close")),
    Server("iocp reuse", "iocp_server", (1, "reuse"), cycle_only=True),
    Server("wsk", "wsk_server"),
    Server("rust", "linsock_server"),
    Server("tokio", "tokio_server"),
    Server("compio", "compio_server"),
    Server("asio", "asio_server"),
]


def contestants(load):
    """By label: the command of every server that is built and runs this load."""
    running = [server for server in SERVERS if server.is_built() and (load.kind == "cycle" or not server.cycle_only)]
    return {server.label: server.command(load) for server in running}


def subjects(runs):
    return [label for label in runs if label != YARDSTICK]


def absent(_bench, _report):
    for server in SERVERS:
        if not server.is_built():
            print(f"{server.label}: not measured ({server.program} is not there; run.sh said why)")


def each(bench, report):
    """One server at a time, all loads."""
    for placement, figures in [("one core", [CPU, RATE]), ("two cores", [RATE])]:
        for load in LOADS:
            if not bench.options.wanted(load, placement):
                continue
            runs = bench.servers(load, placement, contestants(load))
            for figure in figures:
                for subject in subjects(runs):
                    report.row(load, placement, figure, runs, YARDSTICK, subject)


def threads(bench, report):
    """linsock with several threads on one port; they may use every core, so nothing is pinned."""
    if not bench.options.wanted(ECHO, "anywhere", "threads"):
        return
    servers = {YARDSTICK: epoll(ECHO)} | {f"iocp, {n} thread{'s' * (n > 1)}": iocp(ECHO, threads=n) for n in [1, 2, 4]}
    runs = bench.servers(ECHO, "anywhere", servers)
    for subject in subjects(runs):
        report.row(ECHO, "anywhere", RATE, runs, YARDSTICK, subject)


def syscalls(bench, report):
    for load in LOADS:
        if not bench.options.wanted(load, "one core", "syscalls"):
            continue
        servers = contestants(load)
        runs = bench.rounds({label: lambda server=server: bench.syscalls(load, server) for label, server in servers.items()}, 1)
        if isinstance(runs[YARDSTICK], CannotCount):
            print(f"{load!s:<17} system calls not counted: no strace, and {runs[YARDSTICK]}")
            continue
        for subject in subjects(runs):
            report.row(load, "one core", SYSCALLS, runs, YARDSTICK, subject)


def wine(bench, report):
    beside_wine(bench, report, YARDSTICK, "wine", {YARDSTICK: epoll})


PARTS = [absent, each, threads, syscalls, wine]
