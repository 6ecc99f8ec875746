#!/usr/bin/env python3
"""One late row in a warehouse of 14 months and nine counties: which cells are built again, and in which part of a full build's time.

    YAOJIA=target/debug/yaojia python3 tests/bench/late.py [--fee-lines 400000] [--world DIR] [--keep DIR] [--kinds fee,payment,shipment,order]

Loads a world, times the full build, then delivers one late row at a time (a fee line through an export file, a payment, a shipment and an order
line through the platform; of the last but one month, of a middle one, of the first), loads, and times the build. Times are a benchmark and fail
nothing. Fails when a build took up cells that do not depend on what changed (told here from the `[reads]` of contracts and cards alone), or
when in the end silver or gold is not what a full build of the same bronze gives in a second warehouse.
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
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/golden"))
from run import project, start  # noqa: E402

REGION = "652800"
MONTHS, FIRST, AS_OF = 14, "2024-01", "2025-03-01T00:00:00"
# What a second warehouse does not take along: what was built, and what the ledger knows of it.
BUILT = ["silver", "gold", "_cache", "_ops/cell", "_ops/release", "_ops/basis", "_ops/silver_count", "_ops/restatement", "_ops/check", "_ops/completeness", "_ops/rule"]


def number(month):
    return int(month[:4]) * 12 + int(month[5:7])


def takes(window, own, other):
    """Whether `other` lies in the window (`-2..0`, `*`, `latest`) around `own`; an unknown month belongs to every window."""
    if window is None or window.startswith("latest"):
        return True
    if not re.fullmatch(r"\d{4}-\d\d", own) or not re.fullmatch(r"\d{4}-\d\d", other):
        return True
    months = window.split()[0]
    low, high = months.split("..") if ".." in months else (months, months)
    distance = number(other) - number(own)
    return (low == "*" or distance >= int(low)) and (high == "*" or distance <= int(high))


def by_cell(window):
    return window is not None and not window.startswith("latest") and "all_counties" not in window


class Declared:
    """What contracts and cards say they read."""

    def __init__(self):
        self.facts, self.months_of = {}, {}
        for path in sorted((ROOT / "models/contracts/gold").glob("*.toml")):
            contract = tomllib.loads(path.read_text(encoding="utf-8"))
            of = contract.get("month_of", [])
            self.months_of[f"gold.{contract['name']}"] = [of] if isinstance(of, str) else of
            if any((ROOT / f"sql/{kind}/{contract['name']}.sql").exists() for kind in ("fact", "dim")):
                self.facts[f"gold.{contract['name']}"] = contract["reads"]
        self.cards, self.persist = {}, {}
        for folder in sorted((ROOT / "sql/indicators").iterdir()):
            card = tomllib.loads((folder / "indicator.toml").read_text(encoding="utf-8"))
            self.cards[card["id"]] = card["reads"]
            rules = folder / "rules.toml"
            found = tomllib.loads(rules.read_text(encoding="utf-8")).get("rule", []) if rules.exists() else []
            self.persist[card["id"]] = max([rule.get("persist", 1) for rule in found], default=1)

    def cells(self, table, held, changed):
        """Cells of a fact that depend on the changed ones."""
        reads = self.facts[table]
        if not any(by_cell(window) for window in reads.values()):
            return {("*", "*")} | held.get(table, set()) if any(changed.get(name) for name in reads) else set()
        there = set(held.get(table, set()))
        for name, window in reads.items():
            if by_cell(window):
                there |= held.get(name, set())
        hit = lambda cell: any(  # noqa: E731
            not by_cell(window) or (other[0] == cell[0] and takes(window, cell[1], other[1])) for name, window in reads.items() for other in changed.get(name, ())
        )
        return {cell for cell in there if hit(cell)}

    def counties(self, indicator, changed):
        """Counties of which an indicator's rows may depend on the changed cells; none where all may."""
        found = set()
        for table, window in self.cards[indicator].items():
            reference = "dim_" in table or not self.months_of[table] or "updt_time" in self.months_of[table]
            cells = changed.get(table, ())
            if cells and (reference or not by_cell(window) or any(county == REGION for county, _ in cells)):
                return None
            found |= {county for county, _ in cells}
        return found

    def months(self, indicator, all_months, changed):
        """Months of an indicator that depend on the changed cells."""
        stale = set()
        for month in all_months:
            for table, window in self.cards[indicator].items():
                reference = "dim_" in table or not self.months_of[table] or "updt_time" in self.months_of[table]
                if any(takes(None if reference else window, month, cell[1]) for cell in changed.get(table, ())):
                    stale.add(month)
        followers = {m for m in all_months for s in stale if 0 < number(m) - number(s) < self.persist[indicator]}
        return stale | followers


class Warehouse:
    def __init__(self, yaojia, folder):
        self.yaojia, self.folder = yaojia, folder

    def run(self, *verb, good=(0,)):
        """A verb's JSON, wall and processor seconds, and what it said by stage."""
        before, began = os.times(), time.monotonic()
        run = subprocess.run([self.yaojia, "--project", str(self.folder), "--as-of", AS_OF, "--no-progress", "-v", "--json", *verb], capture_output=True, text=True)
        wall, after = time.monotonic() - began, os.times()
        if run.returncode not in good:
            sys.exit(f"{verb} ended with {run.returncode}: {run.stderr[-2000:]}")
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        stages = re.findall(r"^((?:silver|gold|indicators|publish): .*?) ?s?$", run.stderr, re.M)
        return json.loads(run.stdout), wall, cpu, ", ".join(stages)

    def release(self):
        return self.run("release", "list")[0]["releases"]

    def number(self):
        return max(release["number"] for release in self.release())

    def roots(self):
        """Cells and Merkle root of every table of silver and gold in the newest release."""
        shown = self.run("release", "show", str(self.number()))[0]
        return {table["table"]: (table["cells"], table["root"]) for table in shown["tables"]}

    def held(self):
        """Cells of the tables on disk (nothing is ever emptied here)."""
        held = {}
        for layer in ("silver", "gold"):
            for path in (self.folder / "warehouse" / layer).glob("*/county=*/month=*"):
                held.setdefault(f"{layer}.{path.parts[-3]}", set()).add((path.parts[-2][7:], path.parts[-1][6:]))
        return held

    def changed(self, one, other):
        """Cells that differ between two releases."""
        found = {}
        for table in self.run("release", "diff", str(one), str(other), good=(0, 1))[0]["tables"]:
            cells = {tuple(part.split("=")[1] for part in cell["cell"].split("/")) for cell in table["cells"]}
            if cells and not table["table"].endswith("quarantine"):
                found[table["table"]] = cells
        return found


def deliver(world, kind, month, serial):
    """One late row of the month: a copy of one that is there, under a key of its own."""
    if kind == "fee":
        # Counties deliver in formats of their own: one that delivers plain CSV.
        first = sorted((world / "exports/fee_list").glob(f"*/{month.replace('-', '')}/*_01.csv"))[0]
        folder, lines = first.parent, first.read_text(encoding="utf-8").splitlines()
        row = lines[5].split(",")
        row[0] = f"49{serial:02}{row[0][4:]}"
        (folder / f"fee_late_{serial:02}.csv").write_text(lines[0] + "\n" + ",".join(row) + "\n", encoding="utf-8")
        return
    name, key, at = {"payment": ("pay_detl", "payDetlId", "payTime"), "shipment": ("shp", "shpId", "shppTime"), "order": ("ord_detl", "ordDetlId", "sendTime")}[kind]
    path = world / f"platform/{name}.jsonl"
    with path.open(encoding="utf-8") as lines:
        row = next(row for row in map(json.loads, lines) if str(row.get(at, "")).startswith(month) and (kind != "shipment" or row["shpStas"] == "3"))
    row[key] = f"39{serial:02}{row[key][4:]}"
    row["updtTime"] = f"2025-02-28 20:{serial:02}:00"
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def load(yaojia, warehouse, world):
    """Serves the world as it is now and loads what is new."""
    process, url = start(yaojia, world)
    try:
        config = warehouse.folder / "yaojia.toml"
        if config.exists():
            config.write_text(re.sub(r'base_url = ".*"', f'base_url = "{url}"', config.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            project(warehouse.folder, url, world)
        return sum(dataset["appended"] for dataset in warehouse.run("load")[0]["load"]["datasets"].values())
    finally:
        process.terminate()


def judge(declared, warehouse, report, before, after):
    """What was built without need, in words, and the counts."""
    build, changed, held = report["build"], warehouse.changed(before, after), warehouse.held()
    why, facts, expected = [], 0, 0
    for table in declared.facts:
        stale, may = build["stale"].get(table, 0), len(declared.cells(table, held, changed))
        facts, expected = facts + stale, expected + may
        if stale > may:
            why.append(f"{table}: {stale} cells were stale, {may} depend on what changed")
    all_months = [f"{(number(FIRST) + n - 1) // 12}-{(number(FIRST) + n - 1) % 12 + 1:02}" for n in range(MONTHS)]
    months, may_months, parts, kept = 0, 0, 0, 0
    for indicator, counts in (build["indicators"] or {}).items():
        may = len(declared.months(indicator, all_months, changed))
        months, may_months = months + counts["stale"], may_months + may
        if counts["stale"] > may:
            why.append(f"{indicator}: {counts['stale']} months were stale, {may} depend on what changed")
        parts, kept = parts + counts["counties"], kept + counts["counties_kept"]
        counties = declared.counties(indicator, changed)
        # Rows of the region's own come along in each month.
        if counties is not None and counts["counties_kept"] and counts["counties"] > counts["stale"] * (len(counties) + 1):
            why.append(f"{indicator}: {counts['counties']} counties' months were computed, {counts['stale']} months of {len(counties)} counties depend on what changed")
    there = sum((build["cells"] or {}).values())
    of_months = sum(counts["all"] for counts in (build["indicators"] or {}).values())
    replaced = {layer: sum(n for table, n in build["replaced"].items() if table.startswith(layer)) for layer in ("silver.", "gold.")}
    print(f"    fact cells stale {facts} of {there} ({expected} depend), indicator-months stale {months} of {of_months} ({may_months} depend), "
          f"counties' months computed {parts}, kept {kept}; cells replaced: silver {replaced['silver.']}, gold {replaced['gold.']}")
    return why


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fee-lines", type=int, default=400_000, help="fee lines a month; half as many rows again come from the platform")
    p.add_argument("--world", type=Path, help="a world made before; it is copied")
    p.add_argument("--keep", type=Path)
    p.add_argument("--kinds", default="fee,payment,shipment,order")
    a = p.parse_args()
    yaojia = os.environ.setdefault("YAOJIA", "target/debug/yaojia")
    folder = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-late-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    world, failures = folder / "world", []
    try:
        if a.world:
            shutil.copytree(a.world, world)
        else:
            subprocess.run([yaojia, "simulate", "--size", "bench", "--months", str(MONTHS), "--first-month", FIRST, "--fee-lines", str(a.fee_lines),
                            "--write", str(world), "--no-serve"], check=True, stdout=subprocess.DEVNULL)
        declared, warehouse = Declared(), Warehouse(yaojia, folder / "one")
        print(f"rows loaded: {load(yaojia, warehouse, world):,}")
        _, full, full_cpu, stages = warehouse.run("build")
        print(f"full build: {full:.1f} s, processor {full_cpu:.1f} s ({stages})")
        serial, before = 0, warehouse.number()
        for kind in a.kinds.split(","):
            for month in ("2025-01", "2024-07", "2024-01"):
                serial += 1
                deliver(world, kind, month, serial)
                rows = load(yaojia, warehouse, world)
                # Where windows overlap, rows of the last day may come along again.
                if rows < 1:
                    failures.append(f"late {kind} of {month}: nothing was loaded")
                report, wall, cpu, stages = warehouse.run("build")
                after = warehouse.number()
                print(f"late {kind} of {month}: {wall:.1f} s, 1/{full / wall:.0f} of the full build; processor {cpu:.1f} s, 1/{full_cpu / cpu:.0f}: "
                      f"{'under' if cpu * 20 < full_cpu else 'NOT under'} 1/20 ({stages})")
                failures += [f"late {kind} of {month}: {why}" for why in judge(declared, warehouse, report, before, after)]
                before = after
        second = Warehouse(yaojia, folder / "two")
        shutil.copytree(warehouse.folder, second.folder)
        config = second.folder / "yaojia.toml"
        config.write_text(config.read_text(encoding="utf-8").replace(f"{warehouse.folder}/", f"{second.folder}/"), encoding="utf-8")
        for built in BUILT:
            shutil.rmtree(second.folder / "warehouse" / built, ignore_errors=True)
        second.run("build")
        one, two = warehouse.roots(), second.roots()
        differ = sorted(table for table in one.keys() | two.keys() if one.get(table) != two.get(table))
        failures += [f"{table}: {one.get(table)} after late rows, {two.get(table)} built at once" for table in differ]
        print(f"{len(one)} tables equal to a full build of the same bronze" if not differ else f"{len(differ)} tables are not those of a full build")
    finally:
        if a.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(failures) or "only dependent cells were built")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
