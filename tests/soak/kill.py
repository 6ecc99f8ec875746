#!/usr/bin/env python3
"""kill -9 at random moments of a nightly run, each followed by a rerun: the same gold digests and row counts as an undisturbed run.

    YAOJIA=target/debug/yaojia python3 tests/soak/kill.py [--kills 20] [--seed 1] [--size tiny] [--keep DIR]

A warehouse takes one to three kills before it may finish, so that a rerun is killed too. Every kill is printed; the exit code is 0
only if each warehouse ends like the undisturbed one and a run after it finds nothing to do. The moments follow from --seed.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AS_OF = "2024-04-16T02:00:00"
MONTHS = {"tiny": 3, "demo": 6}


def clean():
    """The environment without what the binary listens to."""
    return {name: value for name, value in os.environ.items() if not name.startswith("YAOJIA") and name != "NO_COLOR"}


def serve(yaojia, world, log):
    """The simulator over the world; returns the process and its base URL."""
    with log.open("w") as out:
        process = subprocess.Popen([yaojia, "simulate", "--world", world, "--addr", "127.0.0.1:0"], stdout=out, stderr=subprocess.STDOUT, env=clean())
    for _ in range(600):
        found = re.search(r"(http://127\.0\.0\.1:\d+[^\s\"',`]*)\S*\s", log.read_text(encoding="utf-8"))
        if found:
            return process, found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    sys.exit("the simulator did not start: " + log.read_text(encoding="utf-8"))


class Project:
    """A project folder as `yaojia init` writes it."""

    def __init__(self, yaojia, folder, world, url, as_of):
        self.yaojia, self.folder, self.as_of = yaojia, folder, as_of
        subprocess.run(
            [yaojia, "--project", folder, "init", "--first-month", "2024-01", "--since", "2022-01-01", "--window-days", "400", "--platform-url", url,
             "--app-code", "file:secrets/app_code", "--auth-code", "file:secrets/auth_code", "--landing", world / "exports", "--aliases", world / "aliases.json"],
            check=True, env=clean(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, text in {"app_code": "yaojia-demo", "auth_code": "yaojia-demo-auth"}.items():
            path = folder / "secrets" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)

    def command(self, *verb):
        return [self.yaojia, "--project", self.folder, "--as-of", self.as_of, "--no-progress", *verb]

    def run(self, *verb):
        """Stdout of a verb that must succeed."""
        done = subprocess.run(self.command(*verb), env=clean(), capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemError(f"`{' '.join(verb)}` exits {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def kill(self, delay):
        """Starts a nightly run, kills it after the delay; whether it was still there."""
        process = subprocess.Popen(self.command("nightly"), env=clean(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=delay)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait() < 0

    def active(self, table):
        """Active file → rows, from the JSON commits of a Delta log."""
        files = {}
        for number, path in enumerate(sorted(table.glob("_delta_log/*.json"))):
            if path.stem != f"{number:020}":
                raise SystemError(f"the log of {table} has a gap before {path.name}")
            for line in path.read_text(encoding="utf-8").splitlines():
                action = json.loads(line)
                if "add" in action:
                    files[action["add"]["path"]] = json.loads(action["add"]["stats"])["numRecords"]
                elif "remove" in action:
                    del files[action["remove"]["path"]]
        for file in files:
            if not (table / file).is_file():
                raise SystemError(f"{table / file} is active and not there")
        return files

    def state(self):
        """What must be the same: (table, cell) → digests and rows of gold, rows of silver, the silver counts without repetitions."""
        state = {}
        for table in sorted((self.folder / "warehouse" / "gold").iterdir()):
            for path, rows in sorted(self.active(table).items()):
                cell, _, name = path.rpartition("/")
                digest = name.split("-")[0]
                if not re.fullmatch(r"[0-9a-f]{64}", digest):
                    raise SystemError(f"no digest in {path}")
                state.setdefault(f"gold.{table.name} {cell}", []).append((digest, rows))
        for table in sorted((self.folder / "warehouse" / "silver").iterdir()):
            state[f"silver.{table.name}"] = sum(self.active(table).values())
        for dataset, counts in json.loads(self.run("status", "--silver-counts")).items():
            state[f"counts of {dataset}"] = {name: count for name, count in counts.items() if name != "repeated"}
        return state


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", choices=sorted(MONTHS), default="tiny", help="the world's")
    p.add_argument("--keep", type=Path, help="keep the folders here")
    a = p.parse_args()
    yaojia = os.environ.get("YAOJIA", "target/debug/yaojia")
    if not Path(yaojia).is_file():
        sys.exit(f"there is no binary at `{yaojia}`: run `cargo build --workspace --bins` first, or set YAOJIA")
    yaojia = str(Path(yaojia).resolve())
    as_of = AS_OF if a.size == "tiny" else "2024-07-16T02:00:00"
    dice = random.Random(a.seed)
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-soak-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    world = root / "world"
    platform, finished_well = None, False
    try:
        subprocess.run([yaojia, "simulate", "--size", a.size, "--seed", str(a.seed), "--write", world, "--no-serve"], check=True, env=clean(), stdout=subprocess.DEVNULL)
        platform, url = serve(yaojia, world, root / "simulate.log")
        calm = Project(yaojia, root / "calm", world, url, as_of)
        began = time.monotonic()
        calm.run("nightly")
        whole = time.monotonic() - began
        expected = calm.state()
        cells = sum(1 for name in expected if name.startswith("gold."))
        if cells < 100:
            sys.exit(f"there is little to compare: {cells} gold cells")
        print(f"undisturbed: {whole:.1f} s, {cells} gold cells, seed {a.seed}", flush=True)
        done, bad, turn = 0, [], 0
        while done < a.kills:
            turn += 1
            if turn > 5 * a.kills + 10:
                sys.exit("the kills do not meet a running nightly")
            project = Project(yaojia, root / f"killed-{turn}", world, url, as_of)
            for _ in range(min(dice.randint(1, 3), a.kills - done)):
                delay = dice.uniform(0.02, 1.0) * whole
                if not project.kill(delay):
                    # A rerun has less to do than the whole; what it left is compared all the same.
                    print(f"  warehouse {turn}: it was done before {delay:.3f} s", flush=True)
                    break
                done += 1
                print(f"kill {done:>3} of {a.kills}: warehouse {turn}, after {delay:6.3f} s ({100 * delay / whole:4.1f} %)", flush=True)
            try:
                began = time.monotonic()
                project.run("nightly")
                took = time.monotonic() - began
                state = project.state()
                differences = [name for name in sorted(expected.keys() | state.keys()) if expected.get(name) != state.get(name)]
                if json.loads(project.run("--json", "nightly"))["changed"]:
                    differences.append("a further run was not without work")
            except SystemError as error:
                took, differences = time.monotonic() - began, [str(error)]
            print(f"  warehouse {turn}: rerun {took:.1f} s: " + ("equal" if not differences else f"{len(differences)} differences"), flush=True)
            for name in differences[:10]:
                print(f"    {name}" + (f": expected {expected.get(name)}, found {state.get(name)}" if name in expected else ""), flush=True)
            bad += [turn] if differences else []
            if not a.keep and not differences:
                shutil.rmtree(project.folder)
        print(f"{'FAIL' if bad else 'PASS'}: {done} kills met a running nightly, {len(bad)} of {turn} warehouses differ" + (f": {bad}, in {root}" if bad else ""))
        finished_well = not bad
        return 1 if bad else 0
    finally:
        if platform:
            platform.kill()
            platform.wait()
        if not a.keep and finished_well:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
