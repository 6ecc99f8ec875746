#!/usr/bin/env python3
"""kill -9 at random moments of every verb that writes, each followed by a rerun: the warehouse ends like one that nobody disturbed.

    YAOJIA=target/debug/yaojia python3 tests/soak/kill.py [--kills 200] [--seed 1] [--size tiny] [--keep DIR]

A copy of a prepared warehouse (one night) goes through a second night, a load and a build of the third, two seals, maintenance and, where
the binary has it, a backfill. Each of them is killed one to three times at random moments before it may finish, so that reruns are killed too;
maintenance merges, writes checkpoints and gives releases up at once. Every kill is printed. The exit code is 0 only if every copy ends with
the gold digests, silver rows and counts of the undisturbed one, nothing is doubled in ledger or bronze, all seals verify, `doctor --deep` is
clean, and a further night and a further maintenance find nothing to do. The moments follow from --seed.
"""
import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from project import AS_OF, Project, binary, clean, make_world, serve

NIGHTS = {"tiny": ["2024-02-10T02:00:00", "2024-03-12T02:00:00", AS_OF], "demo": ["2024-03-12T02:00:00", "2024-05-12T02:00:00", "2024-07-16T02:00:00"]}
EAGER = "[maintain]\nkeep_releases = 2\nkeep_days = 0\nidle_hours = 0\ncompact_files = 3\ncheckpoint_commits = 3\n"
# Of these nothing may be there twice.
ONCE = {
    "release tables": "SELECT r.release_no, r.table_name, COUNT(*) AS n FROM ops.release AS r GROUP BY r.release_no, r.table_name HAVING COUNT(*) > 1",
    "seals": "SELECT s.seal_no, COUNT(*) AS n FROM ops.seal AS s GROUP BY s.seal_no HAVING COUNT(*) > 1",
    "months sealed": "SELECT s.month, s.release_no, COUNT(*) AS n FROM ops.seal AS s GROUP BY s.month, s.release_no HAVING COUNT(*) > 1",
    "cells of a run": "SELECT c.run_seq, c.table_name, c.county, c.month, COUNT(*) AS n FROM ops.cell AS c GROUP BY c.run_seq, c.table_name, c.county, c.month, c.fingerprint HAVING COUNT(*) > 1",
    "states of a run": "SELECT r.run_seq, r.state, COUNT(*) AS n FROM ops.run AS r GROUP BY r.run_seq, r.state HAVING COUNT(*) > 1",
    "files loaded": "SELECT l.dataset, l.name, l.sha256, COUNT(*) AS n FROM ops.load AS l WHERE l.state = 'loaded' AND l.sha256 <> '' GROUP BY l.dataset, l.name, l.sha256 HAVING COUNT(*) > 1",
}
# Files only: a load that is killed between the commit of a window and the line of it in the ledger goes on after that window, and a backfill
# that is killed after the lines of a month reads the month once more, which is one more line of what was read.
FILES = "SELECT l.dataset, l.name, l.sha256, l.state, l.row_count FROM ops.load AS l WHERE l.sha256 <> ''"


def query(project, sql):
    return json.loads(project.run("--json", "query", sql))["rows"]


def backfill_words(yaojia):
    """The words that begin a backfill in this binary; none where it has none."""
    for words in (["backfill", "start"], ["backfill"]):
        said = subprocess.run([yaojia, *words, "--help"], env=clean(), capture_output=True, text=True)
        if said.returncode == 0 and "--from" in said.stdout:
            return words
    return None


def backfill(project, words):
    """A recorded backfill: begun once, then resumed by its id until it is done."""
    listed = json.loads(project.run("--json", "backfill", "list"))
    all_of_them = next((value for value in listed.values() if isinstance(value, list)), [])
    begun = [one for one in all_of_them if one.get("why") == "soak"]
    if not begun:
        return [*words, "--from", "2024-01", "--to", "2024-03", "--why", "soak", "--by", "soak"]
    return ["backfill", "list"] if begun[0]["state"] == "done" else ["backfill", "resume", str(begun[0]["id"])]


def steps(project, nights, words):
    """What a copy goes through: name, instant, and the words of the verb (asked anew for each try)."""
    fixed = lambda *words: lambda: list(words)
    yield "nightly", nights[1], fixed("nightly")
    yield "load", nights[2], fixed("load")
    yield "build", nights[2], fixed("build")
    yield "seal 1", nights[2], fixed("seal", "2024-01")
    yield "maintain", nights[2], fixed("maintain")
    yield "seal 2", nights[2], fixed("seal", "2024-02")
    if words:
        yield "backfill", nights[2], lambda: backfill(project, words)
    yield "maintain again", nights[2], fixed("maintain")


def ends_with(project, nights):
    """What a warehouse ends with, and what is wrong with it whatever another has."""
    project.as_of = nights[2]
    state, wrong = project.state(), []
    state["files"] = sorted(json.dumps(row, sort_keys=True) for row in query(project, FILES))
    for what, sql in ONCE.items():
        wrong += [f"{what} doubled: {row}" for row in query(project, sql)]
    if json.loads(project.run("--json", "nightly"))["changed"]:
        wrong.append("a further night was not without work")
    for turn in range(3):
        if not json.loads(project.run("--json", "maintain"))["changed"]:
            break
    else:
        wrong.append("maintenance finds work again and again")
    project.run("doctor", "--offline", "--deep")
    sealed = json.loads(project.run("--json", "verify"))
    if len(sealed["seals"]) != 2 or sealed["findings"]:
        wrong.append(f"seals: {json.dumps(sealed)[:500]}")
    strays = [line for line in project.run("doctor", "--offline").splitlines() if " strays " in line and "no file belongs to nothing" not in line]
    wrong += [f"after maintenance: {line}" for line in strays]
    return state, wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", choices=sorted(NIGHTS), default="tiny", help="the world's")
    p.add_argument("--keep", type=Path, help="keep the folders here")
    a = p.parse_args()
    yaojia, nights, dice = binary(), NIGHTS[a.size], random.Random(a.seed)
    words = backfill_words(yaojia)
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-soak-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    world, platform, finished_well = root / "world", None, False
    try:
        make_world(yaojia, world, a.size, a.seed)
        platform, url = serve(yaojia, world, root / "simulate.log")
        base = Project(yaojia, root / "base", world, url, nights[0])
        config = base.folder / "yaojia.toml"
        config.write_text(re.sub(r"(?m)^\[maintain\]$", EAGER.rstrip(), config.read_text(encoding="utf-8"), count=1), encoding="utf-8")
        base.run("nightly")

        calm = base.copy(root / "calm")
        whole = {}
        for name, at, verb in steps(calm, nights, words):
            calm.as_of, began = at, time.monotonic()
            calm.run(*verb())
            whole[name] = time.monotonic() - began
        expected, wrong = ends_with(calm, nights)
        if wrong:
            sys.exit("the undisturbed warehouse is not right: " + "; ".join(wrong))
        cells = sum(1 for name in expected if name.startswith("gold."))
        if cells < 100:
            sys.exit(f"there is little to compare: {cells} gold cells")
        print(f"undisturbed: {cells} gold cells, seed {a.seed}, " + ", ".join(f"{name} {took:.1f} s" for name, took in whole.items()), flush=True)
        if words is None:
            print("this binary has no backfill", flush=True)

        done, bad, turn, hits, began_all = 0, [], 0, {}, time.monotonic()
        while done < a.kills:
            turn += 1
            if turn > a.kills + 10:
                sys.exit("the kills do not meet running verbs")
            project = base.copy(root / f"killed-{turn}")
            began, before, differences = time.monotonic(), done, []
            try:
                for name, at, verb in steps(project, nights, words):
                    project.as_of = at
                    for _ in range(dice.randint(1, 3)):
                        delay = dice.uniform(0.02, 1.0) * whole[name]
                        if done >= a.kills or not project.kill(delay, verb()):
                            break
                        done += 1
                        hits[name] = hits.get(name, 0) + 1
                        print(f"kill {done:>3} of {a.kills}: copy {turn}, {name} after {delay:6.3f} s ({100 * delay / whole[name]:4.1f} %)", flush=True)
                    project.run(*verb())
                state, differences = ends_with(project, nights)
                differences += [name for name in sorted(expected.keys() | state.keys()) if expected.get(name) != state.get(name)]
            except SystemError as error:
                differences = [str(error)]
            print(f"  copy {turn}: {done - before} kills, {time.monotonic() - began:.0f} s: " + ("equal" if not differences else f"{len(differences)} differences"), flush=True)
            for name in differences[:10]:
                print(f"    {name}" + (f": expected {str(expected[name])[:300]}, found {str(state.get(name))[:300]}" if name in expected else ""), flush=True)
            bad += [turn] if differences else []
            if not a.keep and not differences:
                shutil.rmtree(project.folder)
        print(f"{'FAIL' if bad else 'PASS'}: {done} kills met running verbs ({json.dumps(hits)}) in {time.monotonic() - began_all:.0f} s, "
              f"{len(bad)} of {turn} copies differ" + (f": {bad}, in {root}" if bad else ""))
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
