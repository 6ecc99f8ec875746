#!/usr/bin/env python3
"""kill -9 at random moments of a nightly run, each followed by a rerun: the same gold digests and row counts as an undisturbed run.

    YAOJIA=target/debug/yaojia python3 tests/soak/kill.py [--kills 20] [--seed 1] [--size tiny] [--keep DIR]

A warehouse takes one to three kills before it may finish, so that a rerun is killed too. Every kill is printed; the exit code is 0
only if each warehouse ends like the undisturbed one and a run after it finds nothing to do. The moments follow from --seed.
"""
import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from project import AS_OF, Project, binary, make_world, serve

MONTHS = {"tiny": 3, "demo": 6}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", choices=sorted(MONTHS), default="tiny", help="the world's")
    p.add_argument("--keep", type=Path, help="keep the folders here")
    a = p.parse_args()
    yaojia = binary()
    as_of = AS_OF if a.size == "tiny" else "2024-07-16T02:00:00"
    dice = random.Random(a.seed)
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-soak-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    world = root / "world"
    platform, finished_well = None, False
    try:
        make_world(yaojia, world, a.size, a.seed)
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
