#!/usr/bin/env python3
"""Flips one byte at a time in a sealed warehouse: `verify` or `doctor --deep` must name it.

    YAOJIA=target/debug/yaojia python3 tests/soak/flips.py [--flips 200] [--seed 1] [--keep DIR]

The files are archived pages and files, Parquet files of every layer, rows of the ledger, texts (SQL, cards, manifests), pinned cells and
seals, in turn. Every flip is undone before the next. The exit code is 0 only if each was noticed, and everything holds in between.
"""
import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from project import AS_OF, Project, binary, clean, make_world, serve

KINDS = {
    "archived original": "archive/*/*",
    "bronze file": "bronze/*/county=*/month=*/*.parquet",
    "silver file": "silver/*/*/*/*.parquet",
    "gold file": "gold/*/county=*/month=*/*.parquet",
    "ledger rows": "_ops/*/part-*.parquet",
    "text": "_ops/texts/*/*",
    "pinned cell": "_ops/sealed/*/*.parquet",
    "seal": "_ops/seals/*.json",
}


def noticed(project, path):
    """The command that noticed, and whether it named the file; None when nothing did."""
    for command in (["verify", "--no-recompute"], ["doctor", "--offline", "--deep"]):
        done = subprocess.run(project.command(*command), env=clean(), capture_output=True, text=True)
        if done.returncode != 0:
            said = done.stdout + done.stderr
            return command[0], path.stem in said or path.name in said or str(path.parent.name) in said
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--flips", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", type=Path)
    a = p.parse_args()
    yaojia, dice = binary(), random.Random(a.seed)
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-flips-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    make_world(yaojia, root / "world", "tiny", a.seed)
    platform, url = serve(yaojia, root / "world", root / "simulate.log")
    try:
        project = Project(yaojia, root / "project", root / "world", url, AS_OF)
        project.run("nightly")
        for month in ("2024-01", "2024-02", "2024-03"):
            project.run("seal", month)
        project.run("verify")
        project.run("doctor", "--offline", "--deep")
        warehouse = root / "project" / "warehouse"
        files = {kind: sorted(warehouse.glob(pattern)) for kind, pattern in KINDS.items()}
        for kind, found in files.items():
            if not found:
                sys.exit(f"there is no {kind}")
        began, missed, unnamed, by = time.monotonic(), [], [], {}
        for n in range(a.flips):
            kind = list(KINDS)[n % len(KINDS)]
            path = dice.choice(files[kind])
            held = path.read_bytes()
            at, bit = dice.randrange(len(held)), 1 << dice.randrange(8)
            path.write_bytes(held[:at] + bytes([held[at] ^ bit]) + held[at + 1:])
            result = noticed(project, path)
            path.write_bytes(held)
            if result is None:
                missed.append(f"{kind} {path.relative_to(warehouse)} byte {at} bit {bit}")
                print("MISSED", missed[-1], flush=True)
            else:
                by[result[0]] = by.get(result[0], 0) + 1
                if not result[1]:
                    unnamed.append(f"{kind} {path.relative_to(warehouse)} byte {at}")
                    print("not named:", unnamed[-1], flush=True)
        project.run("verify")
        project.run("doctor", "--offline", "--deep")
        print(f"{'FAIL' if missed or unnamed else 'PASS'}: {a.flips} flips in {time.monotonic() - began:.0f} s, {len(missed)} missed, {len(unnamed)} not named, "
              f"noticed by {json.dumps(by)}; files by kind {json.dumps({k: len(v) for k, v in files.items()})}")
        return 1 if missed or unnamed else 0
    finally:
        platform.kill()
        platform.wait()
        if not a.keep:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
