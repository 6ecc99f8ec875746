#!/usr/bin/env python3
"""All property tests of the parsers in full: more than a million cases; prints cases, seconds, slowest case and memory by target.

    python3 tests/soak/fuzz.py [--percent 100] [--seed 0]

Exits 1 when a test fails (a panic, a difference from the slow reading, a case that hangs, memory that grows), or when fewer than a
million cases were made in full.
"""
import argparse
import os
import re
import subprocess
import sys

LINE = re.compile(r"fuzz ([a-z ]+): (\d+) cases, ([\d.]+) s, slowest (\d+) ms, resident (\d+) MiB after a tenth, (\d+) MiB at the end")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--percent", type=int, default=100)
    p.add_argument("--seed", type=int, default=0, help="other seeds, other cases")
    a = p.parse_args()
    cargo = os.environ.get("CARGO", "cargo").split()
    nextest = subprocess.run([*cargo, "nextest", "--version"], capture_output=True).returncode == 0
    command = (["nextest", "run", "--workspace", "-E", "test(/fuzz::/)", "--no-fail-fast", "--success-output", "final"] if nextest else
               ["test", "--workspace", "--no-fail-fast", "fuzz::", "--", "--nocapture", "--test-threads", "1"])
    environment = {**os.environ, "YAOJIA_FUZZ_PERCENT": str(a.percent), "YAOJIA_FUZZ_SEED": str(a.seed), "RUST_BACKTRACE": "0"}
    run = subprocess.run([*cargo, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    targets = sorted(set(LINE.findall(run.stdout)))
    print(f"{'target':16} {'cases':>9} {'s':>7} {'slowest ms':>10} {'MiB early':>9} {'MiB end':>8}")
    for name, cases, seconds, slowest, early, end in targets:
        print(f"{name:16} {int(cases):9,} {seconds:>7} {slowest:>10} {early:>9} {end:>8}")
    total = sum(int(target[1]) for target in targets)
    print(f"{'in all':16} {total:9,}")
    if run.returncode != 0:
        print(run.stdout[-20_000:], file=sys.stderr)
        return 1
    if a.percent >= 100 and total < 1_000_000:
        print(f"only {total:,} cases", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
