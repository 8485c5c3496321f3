"""The measurements behind BENCHMARKS.md. Started by run.sh, which has built the programs."""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import plot

PROGRAMS = pathlib.Path(os.environ.get("LINSOCK_BENCH_DIR", "target/bench"))
PRIORITY = 5  # as in load.c
WARM_UP = 0.2  # seconds
GAP = 0.2  # seconds between runs: the kernel takes a core away from real-time programs that use more than 95 % of a second

# Where the server and the client run: processors, or anywhere.
CORES = sorted(os.sched_getaffinity(0))
PLACEMENTS = {"one core": (CORES[0], CORES[0]), "two cores": (CORES[0], CORES[-1]), "anywhere": (None, None)}


@dataclass(frozen=True)
class Load:
    kind: str  # echo or cycle
    connections: int
    size: int = 64

    def __str__(self):
        size = f"{self.size} B" if self.size < 1024 else f"{self.size // 1024} KiB"
        return f"{self.kind} {self.connections} x {size}"


ECHO, ECHO_BIG, ECHO_ONE = Load("echo", 64), Load("echo", 64, 16384), Load("echo", 1)
CYCLE, CYCLE_ONE = Load("cycle", 64), Load("cycle", 1)


# ---- figures --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    unit: str
    of: callable  # from one run's record
    digits: int


CPU = Figure("server us/op", lambda run: run["server_cpu"] / run["operations"] * 1e6, 2)
RATE = Figure("k op/s", lambda run: run["operations"] / run["seconds"] / 1e3, 1)
SYSCALLS = Figure("syscalls/op", lambda run: run["syscalls"] / run["operations"], 2)


@dataclass(frozen=True)
class Target:
    """A bound on the ratio of two figures (or on their difference)."""

    bound: float
    at_most: bool
    difference: bool = False

    def __str__(self):
        sign = "+" if self.difference else ""
        return f"{'<=' if self.at_most else '>='} {self.bound:{sign}.2f}"

    def met_by(self, value):
        return value <= self.bound if self.at_most else value >= self.bound


def at_most(bound, difference=False):
    return Target(bound, True, difference)


def at_least(bound):
    return Target(bound, False)


def spread(values, digits, signed=False):
    sign = "+" if signed else ""
    middle, low, high = statistics.median(values), min(values), max(values)
    if low == high:
        return f"{middle:{sign}.{digits}f}"
    return f"{middle:{sign}.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


@dataclass
class Report:
    rows: list = field(default_factory=list)
    passed: bool = True

    LAYOUT = "{:<17} {:<10} {:<13} {:<29} {:<35} {:<18} {}"

    def heading(self):
        print(self.LAYOUT.format("load", "placement", "figure", "yardstick", "under test", "ratio", "target"))

    def row(self, load, placement, figure, runs, yardstick, subject, target=None):
        """Compares two contestants of the same rounds: the median of the ratios, round by round."""
        for label in (yardstick, subject):
            if isinstance(runs[label], RunFailed):
                self.failure(load, placement, f"{label}: {runs[label]}")
                return
        old, new = ([figure.of(run) for run in runs[label]] for label in (yardstick, subject))
        difference = target is not None and target.difference
        ratios = [b - a if difference else b / a for a, b in zip(old, new, strict=True)]
        verdict = "for the record"
        if target is not None:
            met = target.met_by(statistics.median(ratios))
            self.passed &= met
            verdict = f"{target} {'PASS' if met else 'FAIL'}"
        print(self.LAYOUT.format(
            str(load), placement, figure.unit, f"{yardstick} {spread(old, figure.digits)}",
            f"{subject} {spread(new, figure.digits)}", spread(ratios, 2, difference), verdict), flush=True)
        self.rows.append({
            "load": str(load), "placement": placement, "figure": figure.unit, "yardstick": {yardstick: old},
            "under test": {subject: new}, "difference" if difference else "ratio": statistics.median(ratios), "pairs": ratios,
            "target": str(target) if target else None, "verdict": verdict})

    def failure(self, load, placement, error):
        self.passed = False
        print(f"{load!s:<17} {placement:<10} FAIL: {error}", flush=True)
        self.rows.append({"load": str(load), "placement": placement, "verdict": f"FAIL: {error}"})


# ---- runs -----------------------------------------------------------------------------------------------------------------


class RunFailed(Exception):
    """A run gave no figure; the text says why."""


class CannotCount(RunFailed):
    """The kernel lets nobody count system calls here."""


class Bench:
    def __init__(self, options):
        self.options = options
        self.realtime = self.may_use_realtime()
        self.sources = 1 if os.environ.get("LINSOCK_BENCH_PRIVATE") else 32

    @staticmethod
    def may_use_realtime():
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
        except OSError:
            return False
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return True

    def load(self, load, placement, server, *more, realtime=True):
        """One run of the load generator against one server: its record."""
        server_cpu, client_cpu = PLACEMENTS[placement]
        command = [PROGRAMS / "load", "--connections", load.connections, "--size", load.size, "--sources", self.sources]
        command += ["--warm-up", WARM_UP, "--seconds", self.options.seconds]
        if server_cpu is not None:
            command += ["--server-cpu", server_cpu, "--client-cpu", client_cpu]
        if self.realtime and realtime:
            command += ["--realtime"]
        command += [*more, load.kind, "--", *server]
        done = execute([str(word) for word in command], timeout=60)
        if done.returncode == 3:
            raise CannotCount(done.stderr.strip())
        return record(done)

    def client(self, ending, placement, load):
        """One run of the Winsock client against the epoll server: its record."""
        server_cpu, client_cpu = PLACEMENTS[placement]
        server = subprocess.Popen([PROGRAMS / "epoll_server", str(load.size)], stdout=subprocess.PIPE, text=True,
                                  preexec_fn=lambda: self.place(server_cpu))
        try:
            port = server.stdout.readline().strip()
            command = [PROGRAMS / "iocp_client", port, load.size, load.connections, ending, self.sources, self.options.seconds]
            return record(execute([str(word) for word in command], timeout=30, preexec_fn=lambda: self.place(client_cpu)))
        finally:
            server.kill()
            server.wait()

    def place(self, cpu):
        os.sched_setaffinity(0, {cpu})
        if self.realtime:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))

    def rounds(self, contestants, count=None):
        """Runs every contestant once per round, each round beginning with another one. By label: the records, or the failure."""
        runs = {label: [] for label in contestants}
        labels = list(contestants)
        for n in range(count or self.options.pairs):
            for label in labels[n % len(labels):] + labels[:n % len(labels)]:
                if isinstance(runs[label], RunFailed):
                    continue
                time.sleep(GAP)
                try:
                    runs[label].append(contestants[label]())
                except RunFailed as error:
                    runs[label] = error
        return runs

    def servers(self, load, placement, servers):
        return self.rounds({label: lambda server=server: self.load(load, placement, server) for label, server in servers.items()})

    def syscalls(self, load, server):
        """Counted by the kernel's tracepoint over a timed run; else by strace, as the difference of two bounded runs."""
        try:
            return self.load(load, "one core", server, "--count-syscalls")
        except CannotCount:
            if shutil.which("strace") is None:
                raise
        few, many = 1000, 4000
        return {"operations": many - few, "syscalls": self.strace(load, server, many) - self.strace(load, server, few)}

    def strace(self, load, server, operations):
        summary = PROGRAMS / "strace.out"
        summary.unlink(missing_ok=True)
        # -D: the server stays our child, so that killing it ends both.
        self.load(load, "one core", ["strace", "-D", "-f", "-c", "-o", summary, *server], "--operations", operations)
        for _ in range(50):
            time.sleep(0.1)
            total = summary.exists() and re.search(r"(\d+)(?:\s+\d+)? total\s*$", summary.read_text())
            if total:
                return int(total[1])
        raise RunFailed("strace wrote no summary")


def execute(command, timeout, **how):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()  # load's server dies with it
        process.communicate()
        raise RunFailed(f"still running after {timeout} s") from None
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def record(done):
    if done.returncode != 0:
        reason = done.stderr.strip() or (signal.strsignal(-done.returncode) if done.returncode < 0 else f"exit status {done.returncode}")
        raise RunFailed(reason)
    return json.loads(done.stdout)


# ---- the programme --------------------------------------------------------------------------------------------------------


def epoll(load, *how):
    return [PROGRAMS / "epoll_server", load.size, *how]


def iocp(load, *how, ending="close", threads=1):
    return [PROGRAMS / "iocp_server", load.size, threads, ending, *how]


def against_epoll(bench, report):
    """The loads on one server each, with the targets of the project."""
    noise = bench.options.noise
    for load, figure, target in [
        (ECHO, CPU, at_most(1.12)),
        (ECHO_BIG, RATE, at_least(0.93)),
        (ECHO_ONE, RATE, at_least(0.93)),
        (CYCLE, CPU, at_most(1.08)),
        (CYCLE_ONE, CPU, at_most(1.05)),
    ]:
        subjects = {"epoll again": epoll(load)} if noise else {"iocp": iocp(load)}
        if not noise:
            subjects["iocp plain"] = iocp(load, "plain")
        if load.kind == "cycle" and not noise:
            subjects["iocp reuse"] = iocp(load, ending="reuse")
        for placement in ["one core", "two cores"]:
            if not bench.options.wanted(load, placement):
                continue
            servers = {"epoll": epoll(load)} | subjects
            textbook = load.kind == "cycle" and placement == "one core" and not noise
            if textbook:
                servers["textbook"] = epoll(load, "textbook")
            runs = bench.servers(load, placement, servers)
            for subject in subjects:
                judged = placement == "one core" and subject in ("iocp", "epoll again")
                report.row(load, placement, figure if placement == "one core" else RATE, runs, "epoll", subject, target if judged else None)
                if placement == "one core" and figure is RATE:
                    report.row(load, placement, CPU, runs, "epoll", subject)
            if textbook:
                report.row(load, placement, figure, runs, "textbook", "iocp")


def against_before(bench, report):
    """The same server on the library of an earlier revision, and on that of now."""
    for load in [ECHO, ECHO_ONE, CYCLE, CYCLE_ONE]:
        for ending in ["close", "reuse"] if load.kind == "cycle" else ["close"]:
            if not bench.options.wanted(load, "one core", ending):
                continue
            before, after = (f"{name} {ending}" if load.kind == "cycle" else name for name in ["before", "after"])
            [_, *arguments] = iocp(load, ending=ending)
            servers = {before: [PROGRAMS / "iocp_server_before", *arguments], after: iocp(load, ending=ending)}
            report.row(load, "one core", CPU, bench.servers(load, "one core", servers), before, after, at_most(1.03))


def kernel(bench, report):
    """A client of Winsock Kernel beside the Winsock server, on the same library: both are told of each end by itself."""
    for load in [ECHO, ECHO_ONE, CYCLE]:
        if not bench.options.wanted(load, "one core", "wsk"):
            continue
        servers = {"iocp plain": iocp(load, "plain"), "wsk": [PROGRAMS / "wsk_server", load.size]}
        report.row(load, "one core", RATE, bench.servers(load, "one core", servers), "iocp plain", "wsk", at_least(0.90))


def registered(bench, report):
    """Registered I/O beside the completion port's own packets."""
    for load in [ECHO, ECHO_ONE]:
        if not bench.options.wanted(load, "one core", "rio"):
            continue
        servers = {"iocp": iocp(load), "rio": [PROGRAMS / "rio_server", load.size]}
        report.row(load, "one core", CPU, bench.servers(load, "one core", servers), "iocp", "rio")


def client(bench, report):
    load = Load("client", 64)
    for placement in ["one core", "two cores"]:
        if not bench.options.wanted(load, placement):
            continue
        endings = ["close", "graceful", "reuse"]
        runs = bench.rounds({ending: lambda ending=ending: bench.client(ending, placement, load) for ending in endings})
        report.row(load, placement, RATE, runs, "close", "reuse", at_least(1.12) if placement == "one core" else None)
        report.row(load, placement, RATE, runs, "graceful", "reuse")


def threads(bench, report):
    for placement in ["one core", "anywhere"]:
        if not bench.options.wanted(ECHO_ONE, placement, "threads"):
            continue
        servers = {f"{n} thread{'s' * (n > 1)}": iocp(ECHO_ONE, threads=n) for n in [1, 2, 4]}
        runs = bench.servers(ECHO_ONE, placement, servers)
        for n in [2, 4]:
            report.row(ECHO_ONE, placement, RATE, runs, "1 thread", f"{n} threads", at_least(0.90) if placement == "one core" else None)


def syscalls(bench, report):
    for load in [ECHO_ONE, ECHO, CYCLE_ONE, CYCLE]:
        if not bench.options.wanted(load, "one core", "syscalls"):
            continue
        subject, server = ("epoll again", epoll(load)) if bench.options.noise else ("iocp", iocp(load))
        runs = bench.rounds({"epoll": lambda: bench.syscalls(load, epoll(load)), subject: lambda: bench.syscalls(load, server)}, 1)
        if isinstance(runs["epoll"], CannotCount):
            print(f"{load!s:<17} system calls not counted: no strace, and {runs['epoll']}")
            continue
        report.row(load, "one core", SYSCALLS, runs, "epoll", subject, at_most(0.1, difference=True))


def on_wine(bench, load):
    """The Windows program under Wine. Normal priority and no pinning, since Wine's own server process is not ours to place."""
    server = ["wine", PROGRAMS / "iocp_server.exe", load.size, 1, "close"]
    return bench.load(load, "anywhere", server, "--start-up", 30, realtime=False)


@contextlib.contextmanager
def wine_started():
    """Wine's server process is started here, in our network namespace, and ends here."""
    if shutil.which("wine") is None or not (PROGRAMS / "iocp_server.exe").exists():
        raise RunFailed("needs wine and x86_64-w64-mingw32-gcc")
    os.environ |= {"WINEPREFIX": str(PROGRAMS / "wine"), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    try:
        execute(["wineboot"], timeout=120)
        yield
    finally:
        subprocess.run(["wineserver", "--kill"], check=False, stderr=subprocess.DEVNULL)  # that of our own WINEPREFIX


def beside_wine(bench, report, yardstick, subject, natives):
    """Rows for the Windows program under Wine and for `natives`, placed as it is: by label, what gives the command for a load."""
    try:
        with wine_started():
            for load in [ECHO, CYCLE]:
                if not bench.options.wanted(load, "wine"):
                    continue
                contestants = {"wine": lambda: on_wine(bench, load)}
                for label, server in natives.items():
                    contestants[label] = lambda server=server: bench.load(load, "anywhere", server(load), realtime=False)
                runs = bench.rounds(contestants, 3)
                if isinstance(runs["wine"], RunFailed):
                    raise runs["wine"]
                report.row(load, "anywhere", RATE, runs, yardstick, subject)
    except RunFailed as error:
        print(f"wine: not measured ({error})")


def wine(bench, report):
    beside_wine(bench, report, "wine", "iocp", {"iocp": iocp})


def machine(bench):
    def read(path):
        try:
            return pathlib.Path(path).read_text().strip()
        except OSError:
            return "unknown"

    model = re.search(r"^model name\s*:\s*(.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "processor": model[1] if model else platform.machine(),
        "cores": len(CORES),
        "congestion control": read("/proc/sys/net/ipv4/tcp_congestion_control"),
        "scheduling": "SCHED_RR" if bench.realtime else "normal (expect more noise)",
        "network": "private namespace" if bench.sources == 1 else f"shared with the machine; {bench.sources} source addresses",
        "load average": read("/proc/loadavg").split()[0],
        "pairs": bench.options.pairs,
        "seconds per run": bench.options.seconds,
    }


def parse():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Winsock programs on linsock beside a hand-written epoll server.")
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="runs of each program per row (default 5)")
    parser.add_argument("--seconds", type=float, default=0.6, metavar="S", help="measured time of one run (default 0.6)")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows to run, e.g. 'cycle.*one core', client, threads, syscalls, wine")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE as well")
    parser.add_argument("--noise", action="store_true", help="measure the epoll server against itself: what this machine cannot tell apart")
    parser.add_argument("--against", metavar="REVISION", help="the library of an earlier revision beside that of now, instead of everything else")
    parser.add_argument("--peers", action="store_true", help="the peers (io_uring, tokio, compio, Asio, Wine), instead of everything else")
    parser.add_argument("--plot", metavar="DIR", help="with --peers: draw the figures as SVG files in DIR")
    options = parser.parse_args()
    if options.pairs < 1 or options.seconds <= 0:
        parser.error("--pairs and --seconds must be positive")
    if options.plot and not options.peers:
        parser.error("--plot needs --peers")
    options.wanted = lambda *names: re.search(options.only, " ".join(map(str, names))) is not None
    return options


def main():
    options = parse()
    if len(CORES) < 2:
        sys.exit("bench: needs two processors")
    bench, report = Bench(options), Report()
    facts = machine(bench)
    for name, value in facts.items():
        print(f"{name + ':':<20} {value}")
    print("\nmedian (min-max); the ratio is the median of the ratios of the pairs, and is what the target is held against\n")
    report.heading()
    started = time.monotonic()
    if options.against:
        parts = [against_before]
    elif options.noise:
        parts = [against_epoll, syscalls]
    elif options.peers:
        import peers  # which imports this file

        parts = peers.PARTS
    else:
        parts = [against_epoll, client, threads, kernel, registered, syscalls, wine]
    for part in parts:
        part(bench, report)
    outcome = "everything measured" if options.peers else "every target met"  # the peers have no targets
    print(f"\n{outcome if report.passed else f'NOT {outcome}'}, in {time.monotonic() - started:.0f} s")
    measured = {"machine": facts, "rows": report.rows}
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(measured, indent=2) + "\n")
    if options.plot:
        plot.draw(measured, pathlib.Path(options.plot))
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    sys.modules["run"] = sys.modules["__main__"]  # what peers.py imports
    main()
