#!/usr/bin/env python3
"""Five nightly runs, one after the other on one warehouse, on what had arrived by then; each must publish exactly the expected rows,
and a sixth on everything those of one load. Then each of the five is replayed as known then, from the warehouse alone.

    YAOJIA=target/debug/yaojia python3 tests/golden/nights.py ../shared/golden [--keep DIR]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import HERE, differences_of_files, project, start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("golden", type=Path)
    p.add_argument("--keep", type=Path)
    a = p.parse_args()
    golden = a.golden.resolve()
    yaojia = os.environ.setdefault("YAOJIA", "target/debug/yaojia")
    ids = ",".join(l.strip() for l in (HERE / "indicators.txt").read_text(encoding="utf-8").splitlines() if l.strip() and not l.startswith("#"))
    folder = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-nights-"))).resolve()
    world = folder / "world"
    bad, reports = 0, []
    nights = sorted(d for d in (golden / "nights").iterdir() if d.is_dir())
    # The last state of the five nights must be that of one load of everything.
    for night in [*nights, golden]:
        day, clock = ("2025-04-16", "02-00-00") if night == golden else night.name.split("T")
        at = f"{day}T{clock.replace('-', ':')}"
        shutil.rmtree(world, ignore_errors=True)
        if night == golden:
            shutil.copytree(golden / "world", world)
        else:
            subprocess.run([sys.executable, golden / "night.py", "--at", at, "--out", world], check=True, stderr=subprocess.DEVNULL)
        process, url = start(yaojia, world)
        try:
            project(folder, url, world)
            began = time.monotonic()
            run = subprocess.run([yaojia, "--project", str(folder), "--as-of", at, "--no-progress", "-q", "--json", "nightly"], check=True, capture_output=True, text=True)
            reports.append(json.loads(run.stdout))
            print(f"{at}: {time.monotonic() - began:.1f} s", flush=True)
            counts = subprocess.run([yaojia, "--project", str(folder), "status", "--silver-counts"], check=True, capture_output=True, text=True)
            (folder / "counts.json").write_text(counts.stdout, encoding="utf-8")
            status = subprocess.run([yaojia, "--project", str(folder), "status", "--json"], check=True, capture_output=True, text=True)
            # Unknown columns of all nights together are those of one load.
            why = differences_of_files(night / "silver.json", reports, json.loads(status.stdout))
            bad += bool(why)
            print("\n".join(why) or "FILES agree", flush=True)
            for check in (
                [golden / "compare_silver.py", "--expected", night / "silver.json", "--actual", folder / "counts.json"],
                [golden / "compare.py", "--expected", night / "expected.parquet", "--actual", folder / "warehouse/gold/indicator_value", "--ids", ids],
            ):
                done = subprocess.run([sys.executable, *check], capture_output=True, text=True)
                lines = done.stdout.strip().splitlines()
                bad += done.returncode != 0
                print("\n".join(l for l in lines if done.returncode and "<<" in l or l == lines[-1]), flush=True)
        finally:
            process.terminate()
    # From this warehouse alone: neither the platform nor the files are there any more, only the project's aliases are kept.
    aliases = (world / "aliases.json").read_text(encoding="utf-8")
    shutil.rmtree(world)
    world.mkdir()
    (world / "aliases.json").write_text(aliases, encoding="utf-8")
    for run, night in enumerate(nights, 1):
        then = folder / "replay"
        shutil.rmtree(then, ignore_errors=True)
        began = time.monotonic()
        done = subprocess.run([yaojia, "--project", str(folder), "--no-progress", "replay", "--run", str(run), "--out", str(then)], capture_output=True, text=True)
        print(f"{done.stdout.strip() or done.stderr.strip()} ({time.monotonic() - began:.1f} s)", flush=True)
        check = [golden / "compare.py", "--expected", night / "expected.parquet", "--actual", then / "gold/indicator_value", "--ids", ids]
        compared = subprocess.run([sys.executable, *check], capture_output=True, text=True)
        print(compared.stdout.strip().splitlines()[-1], flush=True)
        bad += done.returncode != 0 or compared.returncode != 0
    if a.keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
