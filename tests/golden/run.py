#!/usr/bin/env python3
"""Serves the golden world to the real binary and compares what comes out.

    YAOJIA=target/debug/yaojia python3 tests/golden/run.py ../shared/golden [--ids D05,D09] [--as-of 2025-04-16T02:00:00] [--keep DIR]

The indicators compared are those of tests/golden/indicators.txt (done so far: a right number never becomes wrong again) unless
--ids says otherwise. Exit code 0 only if every compared row and every silver count is equal.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def start(yaojia, world):
    """The simulator over the world; returns the process and its base URL."""
    log = tempfile.NamedTemporaryFile("w+", suffix=".log", delete=False)
    process = subprocess.Popen([yaojia, "simulate", "--world", str(world), "--addr", "127.0.0.1:0"], stdout=log, stderr=subprocess.STDOUT)
    for _ in range(300):
        found = re.search(r"http://127\.0\.0\.1:\d+\S*", Path(log.name).read_text(encoding="utf-8"))
        if found:
            return process, found.group(0).rstrip('",')
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("the simulator did not start: " + Path(log.name).read_text(encoding="utf-8"))


def project(folder, url, world):
    """A project folder for the region of the world."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secrets").mkdir(exist_ok=True)
    for name, text in {"app_code": "yaojia-demo", "auth_code": "yaojia-demo-auth", "personal": "golden-key-of-no-secret"}.items():
        path = folder / "secrets" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    (folder / "yaojia.toml").write_text(f"""aliases_file = "{world}/aliases.json"

[region]
code = "652800"
name = "巴音郭楞蒙古自治州"
first_month = "2024-01"

[warehouse]
location = "{folder}/warehouse"

[platform]
base_url = "{url}"
app_code = "file:{folder}/secrets/app_code"
auth_code = "file:{folder}/secrets/auth_code"
since = "2022-01-01"
window_days = 400

[export]
root = "{world}/exports"

[personal]
hash_key = "file:{folder}/secrets/personal"

[audit]
recipient = "{recipient(folder)}"
""", encoding="utf-8")


def differences_of_files(expected, reports, status):
    """What is wrong with the files and unknown columns that all runs so far reported, in words; the refused ones are those of `status`."""
    want, why = json.loads(Path(expected).read_text(encoding="utf-8"))["_files"], []
    loads = [r["load"] for r in reports]
    found = {
        "loaded": sum(l["files"] for l in loads),
        "refused": sorted([f"exports/{r['file']}", r["reason"]] for r in status["refused"]),
        "same_content": sorted({f"exports/{name}" for l in loads for name in l["same_content"]}),
        "unknown_columns": {},
    }
    for load in loads:
        for dataset, of in load["datasets"].items():
            for name, n in of["unknown_columns"].items():
                sums = found["unknown_columns"].setdefault(dataset, {})
                sums[name] = sums.get(name, 0) + n
    for name, value in found.items():
        other = sorted(want[name]) if isinstance(want[name], list) else want[name]
        if value != other:
            why.append(f"{name}: {value} expected {other}")
    return why


def recipient(folder):
    """The recipient of a key pair that `yaojia init` makes in a folder of its own."""
    scratch = Path(tempfile.mkdtemp(prefix="yaojia-keys-"))
    subprocess.run([os.environ["YAOJIA"], "--project", str(scratch), "init"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return re.search(r"age1[0-9a-z]+", (scratch / "yaojia.toml").read_text(encoding="utf-8")).group(0)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("golden", type=Path)
    p.add_argument("--ids")
    p.add_argument("--as-of", default="2025-04-16T02:00:00")
    p.add_argument("--keep", type=Path, help="keep the project and warehouse here")
    a = p.parse_args()
    golden = a.golden.resolve()
    yaojia = os.environ.setdefault("YAOJIA", "target/debug/yaojia")
    ids = a.ids or ",".join(l.strip() for l in (HERE / "indicators.txt").read_text(encoding="utf-8").splitlines() if l.strip() and not l.startswith("#"))
    folder = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-golden-"))).resolve()
    process, url = start(yaojia, golden / "world")
    try:
        project(folder, url, golden / "world")
        began = time.monotonic()
        first = subprocess.run([yaojia, "--project", str(folder), "--as-of", a.as_of, "--no-progress", "--json", "nightly"], check=True, capture_output=True, text=True)
        print(f"nightly: {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        again = subprocess.run([yaojia, "--project", str(folder), "--as-of", a.as_of, "--no-progress", "--json", "nightly"], check=True, capture_output=True, text=True)
        print(f"second nightly: {time.monotonic() - began:.1f} s")
        if json.loads(again.stdout).get("changed"):
            sys.exit("the second nightly run wrote something")
        counts = subprocess.run([yaojia, "--project", str(folder), "status", "--silver-counts"], check=True, capture_output=True, text=True)
        (folder / "counts.json").write_text(counts.stdout, encoding="utf-8")
        silver = subprocess.run([sys.executable, golden / "compare_silver.py", "--expected", golden / "silver.json", "--actual", folder / "counts.json"])
        values = subprocess.run([sys.executable, golden / "compare.py", "--expected", golden / "expected.parquet",
                                 "--actual", folder / "warehouse" / "gold" / "indicator_value", "--ids", ids])
        status = subprocess.run([yaojia, "--project", str(folder), "status", "--json"], check=True, capture_output=True, text=True)
        why = differences_of_files(golden / "silver.json", [json.loads(first.stdout)], json.loads(status.stdout))
        print("\n".join(why) or "FILES refused, skipped, loaded and unknown columns agree")
        return 1 if silver.returncode or values.returncode or why else 0
    finally:
        process.terminate()
        if a.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
