#!/usr/bin/env python3
"""1,000,000 fee lines of one month in nine counties plus proportional orders, from the landing folder and the platform to gold.

    YAOJIA=target/optimised/yaojia python3 tests/bench/run.py [--fee-lines 1000000] [--world DIR] [--keep DIR]

Prints rows a second, seconds by stage and peak memory of the nightly run. A benchmark, never a timed test.
"""
import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))
from run import project, start  # noqa: E402


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fee-lines", type=int, default=1_000_000)
    p.add_argument("--world", type=Path, help="a world made before")
    p.add_argument("--keep", type=Path)
    a = p.parse_args()
    yaojia = os.environ.setdefault("YAOJIA", "target/optimised/yaojia")
    folder = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-bench-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    world = a.world.resolve() if a.world else folder / "world"
    if not world.exists():
        began = time.monotonic()
        subprocess.run([yaojia, "simulate", "--size", "bench", "--fee-lines", str(a.fee_lines), "--write", str(world), "--no-serve"], check=True, stdout=subprocess.DEVNULL)
        print(f"world: {time.monotonic() - began:.1f} s (not part of the benchmark)")
    process, url = start(yaojia, world)
    try:
        project(folder, url, world)
        config = folder / "yaojia.toml"
        first = min(d.name for d in (world / "exports/fee_list").glob("*/*"))
        config.write_text(re.sub(r'first_month = ".*"', f'first_month = "{first[:4]}-{first[4:]}"', config.read_text(encoding="utf-8")), encoding="utf-8")
        last = max(d.name for d in (world / "exports/fee_list").glob("*/*"))
        year, month = int(last[:4]), int(last[4:]) + 1
        at = f"{year + (month > 12)}-{(month - 1) % 12 + 1:02d}-01T00:00:00"
        began = time.monotonic()
        run = subprocess.run([yaojia, "--project", str(folder), "--as-of", at, "--no-progress", "-v", "--json", "nightly"], check=True, capture_output=True, text=True)
        seconds = time.monotonic() - began
        report = json.loads(run.stdout)
        rows = sum(d["appended"] for d in report["load"]["datasets"].values())
        fee = report["load"]["datasets"]["fee_list"]["appended"]
        print(f"rows: {rows:,} in all, {fee:,} fee lines")
        print(f"nightly: {seconds:.1f} s, {rows / seconds:,.0f} rows/s")
        print("\n".join(re.findall(r"^(?:load|silver|gold|indicators|publish): .*$", run.stderr, re.M)))
        # The greatest resident set of any child so far: the nightly run is by far the largest.
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 / 1024:.2f} GiB")
    finally:
        process.terminate()
        if a.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
