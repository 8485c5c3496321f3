#!/usr/bin/env python3
"""Runs the conformance programs on another implementation of Winsock and lists where it differs.

The same sources as linsock's own conformance tests, compiled by mingw-w64 and run by Wine: an
independent witness. Every check in them names the source of its expected value; where Wine differs,
`differences.txt` says why we keep ours. The run fails on a difference that the file does not
explain. An explanation that nothing needed is reported (another version of Wine may not differ).

Usage: compare.py [PROGRAM...]
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "c"
COMPILER = "x86_64-w64-mingw32-gcc"
# The programs give up after 60 s of their own.
LIMIT_SECONDS = 90
FAILED = re.compile(r"^\S+\.[ch]:\d+: FAILED (.*?)(?: \(last error \d+\))?$")
SUM = re.compile(r"^\w+: (\d+) passed, (\d+) failed")


class Explanation:
    """A paragraph of differences.txt: why, and the patterns of what it explains."""

    def __init__(self, why):
        self.why = why
        self.patterns = []

    def add(self, line):
        regex = ".*".join(re.escape(part) for part in line.split("*"))
        self.patterns.append([line, re.compile(regex), 0])

    def explains(self, difference):
        for pattern in self.patterns:
            if pattern[1].fullmatch(difference):
                pattern[2] += 1
                return True
        return False


def explanations():
    """`= reason` opens a paragraph, `program: [source] expression` with `*` as wildcard follows."""
    found = []
    for line in (HERE / "differences.txt").read_text().splitlines():
        line = line.strip()
        if line.startswith("= "):
            found.append(Explanation(line[2:]))
        elif line.startswith("+ "):
            found[-1].why += " " + line[2:]
        elif line and not line.startswith("#"):
            found[-1].add(line)
    return found


def build(source, scratch):
    program = scratch / (source.stem + ".exe")
    command = [COMPILER, "-std=gnu11", "-O1", "-g", "-D_WIN32_WINNT=0x0A00", "-o", program, source]
    subprocess.run([*command, "-lws2_32", "-lmswsock", "-lbcrypt"], check=True)
    return program


def run(program, environment):
    """The lines that the program printed, and how it ended."""
    child = subprocess.Popen(
        ["wine", program], env=environment, cwd=program.parent, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        output, _ = child.communicate(timeout=LIMIT_SECONDS)
        end = f"exit status {child.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        end = "no end"
    return output.decode(errors="replace").replace("\r", "").splitlines(), end


def differences(name, lines, end):
    """The checks that failed, once each, and the program's end where it did not reach its own."""
    failed = [match[1] for match in map(FAILED.match, lines) if match]
    total = next((match for match in map(SUM.match, lines) if match), None)
    if total is None:
        failed.append(f"ends early: {end}")
    rows = list(dict.fromkeys(f"{name}: {row}" for row in failed))
    return int(total[1]) if total else None, rows


def main(wanted):
    sources = [PROGRAMS / f"{name}.c" for name in wanted] or sorted(PROGRAMS.glob("*.c"))
    known = explanations()
    unexplained = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        environment = dict(os.environ, WINEPREFIX=str(scratch / "prefix"), WINEDEBUG="-all")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
        version = subprocess.run(["wine", "--version"], capture_output=True, text=True, check=True)
        print(f"witness: {version.stdout.strip()}")
        subprocess.run(["wineboot", "--init"], check=True, **quiet)
        subprocess.run(["wineserver", "--persistent"], check=False, **quiet)
        programs = [build(source, scratch) for source in sources]
        # One after the other: many rows measure time.
        for program in programs:
            passed, rows = differences(program.stem, *run(program, environment))
            agree = "?" if passed is None else passed
            print(f"{program.stem}: {agree} checks agree, {len(rows)} rows differ", flush=True)
            for row in rows:
                if not any([explanation.explains(row) for explanation in known]):
                    unexplained.append(row)
        subprocess.run(["wineserver", "-k"], check=False, **quiet)
    report(known, unexplained, all_ran=not wanted)
    return 1 if unexplained else 0


def report(known, unexplained, all_ran):
    for explanation in known:
        rows = sum(pattern[2] for pattern in explanation.patterns)
        if rows:
            print(f"\n{rows} rows: {explanation.why}")
            for line, _, count in explanation.patterns:
                if count:
                    print(f"    {line}")
        for line, _, count in explanation.patterns:
            if all_ran and not count:
                print(f"not needed here: {line}")
    for row in unexplained:
        print(f"UNEXPLAINED {row}")
    print(f"\n{len(unexplained)} differences without an explanation")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
