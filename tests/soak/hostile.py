#!/usr/bin/env python3
"""Nightly against a hostile platform: the same bronze rows (by key and version), silver counts and gold digests as against a calm one.

    YAOJIA=target/debug/yaojia python3 tests/soak/hostile.py [--seeds 10] [--first 1] [--mode hostile] [--keep DIR]

Every seed is another world and another hostility. A nightly that the platform defeats must say so with exit code 3 and is run again,
as a scheduler would; a success with a row missing is a failure here.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from project import AS_OF, Project, binary, clean, make_world, serve

# Dataset of the platform → the columns of its key, as sources.md has them.
KEYS = {
    "drug_listing": ["pubonln_rslt_id", "pric_eff_time"], "mcs_listing": ["pubonln_rslt_id", "pric_eff_time"], "enterprise": ["org_code"],
    "institution": ["org_code"], "ord_detl": ["ord_detl_id"], "shp": ["shp_id"], "retn": ["retn_id"], "vbp_batch": ["btch_code"],
    "vbp_prod": ["btch_code", "grp_code", "prod_code"], "vbp_agrm": ["btch_code", "grp_code", "medins_code", "prod_code"],
    "tri_agrm": ["agrm_id"], "purc_plan": ["purc_plan_detl_id"], "pay_detl": ["pay_detl_id"], "appeal": ["appeal_id"],
    "ref_pric": ["prod_code", "prov_admdvs", "eff_date"],
}
# A scheduler's patience with exit code 3.
RERUNS = 3


def bronze(project):
    """Every (dataset, key, updt_time) in bronze."""
    table = project.folder / "warehouse" / "bronze"
    rows = set()
    import pyarrow.parquet as pq

    for dataset, key in KEYS.items():
        # mcs_listing names its product mcs_code in bronze; its key does not hold it.
        columns = [*key, "updt_time"]
        for file in project.active(table / dataset):
            read = pq.read_table(table / dataset / file, columns=columns, partitioning=None).to_pydict()
            rows.update((dataset, *(str(v).strip() for v in row)) for row in zip(*(read[c] for c in columns)))
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, default=10)
    p.add_argument("--first", type=int, default=1, help="the first seed")
    p.add_argument("--mode", choices=["mild", "hostile"], default="hostile")
    p.add_argument("--page-size", type=int, default=50)
    p.add_argument("--keep", type=Path, help="keep the folders here")
    a = p.parse_args()
    yaojia = binary()
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-hostile-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    bad = []
    for seed in range(a.first, a.first + a.seeds):
        world = root / f"world-{seed}"
        make_world(yaojia, world, "tiny", seed)
        found = {}
        for mode, options in {"none": [], a.mode: ["--mode", a.mode, "--mode-seed", str(seed), "--page-size", str(a.page_size)]}.items():
            platform, url = serve(yaojia, world, root / f"simulate-{seed}-{mode}.log", *options)
            try:
                project = Project(yaojia, root / f"{mode}-{seed}", world, url, AS_OF)
                began, codes = time.monotonic(), []
                while True:
                    done = subprocess.run(project.command("--json", "nightly"), env=clean(), capture_output=True, text=True)
                    codes.append(done.returncode)
                    if done.returncode != 3 or len(codes) > RERUNS:
                        break
                    print(f"  seed {seed}: {mode} ended with 3: {done.stderr.strip().splitlines()[-1][:300]}", flush=True)
                if done.returncode != 0:
                    raise SystemError(f"nightly exits {codes}:\n{done.stderr[-3000:]}")
                found[mode] = (project.state(), bronze(project), time.monotonic() - began, codes)
            finally:
                platform.kill()
                platform.wait()
        (calm, calm_rows, calm_time, _), (state, rows, took, codes) = found["none"], found[a.mode]
        differences = [name for name in sorted(calm.keys() | state.keys()) if calm.get(name) != state.get(name)]
        differences += [f"bronze row {row} only {where}" for where, row in
                        [*(("calm", r) for r in sorted(calm_rows - rows)[:5]), *(("hostile", r) for r in sorted(rows - calm_rows)[:5])]]
        print(f"seed {seed}: {len(rows)} bronze rows by key and version, {sum(n.startswith('gold.') for n in state)} gold cells, "
              f"calm {calm_time:.1f} s, {a.mode} {took:.1f} s, exit codes {codes}: {'equal' if not differences else f'{len(differences)} differences'}", flush=True)
        for name in differences[:10]:
            print(f"    {name}: expected {calm.get(name)}, found {state.get(name)}", flush=True)
        if differences:
            bad.append(seed)
        elif not a.keep:
            for name in [world, root / f"none-{seed}", root / f"{a.mode}-{seed}"]:
                shutil.rmtree(name)
    print(f"{'FAIL' if bad else 'PASS'}: {a.seeds} seeds, {len(bad)} differ" + (f": {bad}, in {root}" if bad else ""))
    if not a.keep and not bad:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
