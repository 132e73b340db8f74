#!/usr/bin/python3
"""What compiling takes: time and memory of halcyon, and of C++ compilers that read a network.

    compile_time.py                   one table in Markdown
    compile_time.py --check           exit status 1 when a goal is missed

A cold compilation begins with a fresh folder of compiled kernels; the one behind it finds all of them there, which
halcyon's own words confirm. Times are from start to end, the median of all runs; memory is the most that a process had
in any of them. Needs only the standard library.
"""
import argparse
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HALCYON = ROOT / "build/release/bin/halcyon"
COMPILERS = ("g++", "clang++-14")
# As a user's file has it: HALCYON_NETWORK checks every shape in a constant expression.
NETWORK_FILE = """#include <halcyon/dsl.h>

#include "dsl/zoo/googlenet.h"

HALCYON_NETWORK(halcyon::dsl::zoo::googlenet);
"""


class Failure(Exception):
    """Something that ends the run with one message."""


@dataclass
class Case:
    """What is compiled, what it may take, and what it took in each run."""
    name: str
    goal_s: float
    goal_mb: float = math.inf
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self, *command: Any) -> str:
        """What the command says."""
        words = [str(word) for word in command]
        with tempfile.TemporaryFile() as said:
            begin = time.monotonic()
            try:
                process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
            except OSError as error:
                raise Failure(f"cannot start '{words[0]}': {error.strerror}") from None
            # Unlike Popen.wait, it tells the memory too: of the largest process, where one starts others as g++ does.
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds.append(time.monotonic() - begin)
            self.megabytes.append(usage.ru_maxrss / 1024)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
        if process.returncode != 0:
            raise Failure(f"exit status {process.returncode}: {' '.join(words)}\n{text}")
        return text

    def row(self) -> str:
        return (f"| {self.name} | {statistics.median(self.seconds):.2f} s | {min(self.seconds):.2f} to "
                f"{max(self.seconds):.2f} | {max(self.megabytes):.0f} MB |")

    def missed_goals(self) -> list[str]:
        """Sentences, one for each goal that was not reached."""
        missed = []
        seconds, megabytes = statistics.median(self.seconds), max(self.megabytes)
        if seconds >= self.goal_s:
            missed.append(f"{self.name} takes {seconds:.2f} s, expected less than {self.goal_s:g}")
        if megabytes >= self.goal_mb:
            missed.append(f"{self.name} takes {megabytes:.0f} MB, expected less than {self.goal_mb:g}")
        return missed


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def compile_twice(cold: Case, warm: Case, words: list[str], folder: Path) -> None:
    """With nothing in the cache, then with everything; `folder` is fresh."""
    for case in (cold, warm):
        text = case.run(HALCYON, "compile", *words, "-o", folder / "out", "--cache", folder / "cache")
        compiled = re.search(r" kernels \((\d+) compiled", text)
        if not compiled or (int(compiled[1]) > 0) != (case is cold):
            raise Failure(f"{case.name}: not what was to be measured\n{text}")


def measure(runs: int) -> list[Case]:
    if not HALCYON.exists():
        raise Failure(f"there is no program '{HALCYON}'\n  hint: ./x build")
    lenet5 = [Case("`halcyon compile zoo:lenet5 --train`", 10), Case("LeNet-5 from the cache", 1)]
    googlenet = [Case("`halcyon compile zoo:googlenet`", 90, 2048), Case("GoogLeNet from the cache", 3, 2048)]
    files = []
    for name in COMPILERS:
        if shutil.which(name):
            files.append((name, Case(f"a C++ file with GoogLeNet, {name}", 5)))
        else:
            note(f"skipped: there is no {name} on this machine")
    for run in range(runs):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            compile_twice(*lenet5, ["zoo:lenet5", "--train"], folder / "lenet5")
            compile_twice(*googlenet, ["zoo:googlenet"], folder / "googlenet")
            source = folder / "network.cpp"
            source.write_text(NETWORK_FILE)
            for name, case in files:
                case.run(name, "-std=c++20", "-fsyntax-only", "-I", ROOT, "-I", ROOT / "dsl/include", source)
        note(f"run {run + 1}/{runs}")
    return [*lenet5, *googlenet, *(case for _, case in files)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit status 1 when a goal is missed")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs takes a number from 1 on")
    load = os.getloadavg()[0]
    cases = measure(options.runs)
    print(f"| compiled, median of {options.runs} | time | lowest to highest | memory |\n|---|---|---|---|")
    print("\n".join(case.row() for case in cases))
    if load > 0.5:
        note(f"doubtful: the machine was busy before the run: load {load:.1f}")
    missed = [goal for case in cases for goal in case.missed_goals()]
    for goal in missed:
        note(f"goal missed: {goal}")
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        note(f"error: {failure}")
        sys.exit(1)
