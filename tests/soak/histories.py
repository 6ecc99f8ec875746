#!/usr/bin/env python3
"""Random histories of one warehouse: however it came about, it says what one full build says, and every release can be made again.

    YAOJIA=target/debug/yaojia python3 tests/soak/histories.py [--histories 100] [--from 1] [--jobs 2] [--keep DIR]

A history is a world of the simulator that arrives bit by bit, with late rows, corrections, voids and repairs, while in random order
nightly runs, loads, builds, rule changes, code changes, kills (-9), backfills, seals, maintenance and rollbacks happen. At its end:

1. all gold digests, silver rows and counts equal those of one full build from the same bronze (silver, gold and all that is known of
   cells removed);
2. every release is replayed as known then, with neither platform nor landing folder: the same digests;
3. `verify` holds for every seal, `doctor --deep` finds nothing, and a further build has nothing to do.

Everything follows from the history's number. Exit code 0 only if all hold.
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
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from project import Project, binary, clean, make_world, serve

SQL = Path(__file__).resolve().parent.parent.parent / "sql"
FIRST, LAST = datetime(2024, 1, 20), datetime(2024, 5, 20)
TIME = re.compile(r'"updtTime":"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"')
NUMBER = re.compile(r'("\w*(?:[cC]nt|[pP]ric|[aA]mt)":\s*-?)(\d)')
# What a full build must find again by itself.
BUILT = ["silver", "gold", "_cache", "_ops/cell", "_ops/check", "_ops/silver_count", "_ops/completeness", "_ops/release", "_ops/basis", "_ops/rollback", "_ops/restatement", "_ops/rule"]


class History:
    """One history: its dice, its world on the platform and in the landing folder, its project."""

    def __init__(self, yaojia, root, number):
        self.yaojia, self.dice, self.root, self.log = yaojia, random.Random(number), root, []
        self.world, self.rest = root / "world", root / "rest"
        make_world(yaojia, self.rest, "tiny", number)
        self.world.mkdir()
        shutil.copy(self.rest / "aliases.json", self.world)
        self.files = sorted(p.relative_to(self.rest) for p in (self.rest / "exports").rglob("*") if p.is_file())
        (self.world / "exports").mkdir()
        (self.world / "platform").mkdir()
        self.platform = {}
        self.held = []
        for path in sorted((self.rest / "platform").glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").splitlines()
            # Some rows the platform shows only later: with a new time, or with their old one.
            late = {n for n in range(len(lines)) if self.dice.random() < 0.06}
            self.platform[path.name] = [line for n, line in enumerate(lines) if n not in late]
            self.held += [(path.name, lines[n]) for n in sorted(late)]
        self.now = FIRST
        self.chains, self.hours, self.changed = {}, 0, False
        self.server, self.project, self.seconds = None, None, 6.0
        verbs = subprocess.run([yaojia, "--help"], capture_output=True, text=True, env=clean()).stdout
        self.verbs = {name for name in ("backfill", "maintain") if re.search(rf"^ +{name}\b", verbs, re.M)}
        self.codes = []

    # -- the world ---------------------------------------------------------------------------------------------------------------

    def stamp(self, since):
        """A time after the last event and not after this one."""
        span = int((self.now - since).total_seconds())
        return (since + timedelta(seconds=self.dice.randint(1, span - 1))).strftime("%Y-%m-%d %H:%M:%S")

    def visible(self):
        """A row that the platform shows by now."""
        for _ in range(50):
            name = self.dice.choice(sorted(self.platform))
            lines = self.platform[name]
            at = self.dice.randrange(len(lines)) if lines else None
            found = TIME.search(lines[at]) if at is not None else None
            if found and found.group(1) <= self.now.strftime("%Y-%m-%d %H:%M:%S"):
                return name, at
        return None

    def arrive(self, since):
        """What comes since the last event: files, late rows, corrections, voids, repairs without a new time."""
        files = [f for f in self.files if f.parts[3] <= self.now.strftime("%Y%m") and self.dice.random() < 0.55]
        for file in files if self.now < LAST else self.files:
            to = self.world / file
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.rest / file, to)
        self.files = [f for f in self.files if not (self.world / f).exists()]
        said = {"files": len(files)}
        for kind in ("late", "old time", "correction", "void", "repair", "file"):
            for _ in range(self.dice.choice((0, 1, 2, 3))):
                if getattr(self, "row_" + kind.replace(" ", "_"))(since):
                    said[kind] = said.get(kind, 0) + 1
        return said

    def row_late(self, since, keep=False):
        if not self.held:
            return False
        name, line = self.held.pop(self.dice.randrange(len(self.held)))
        found = TIME.search(line)
        if found and not keep:
            line = line[:found.start(1)] + self.stamp(since) + line[found.end(1):]
        self.platform[name].append(line)
        return True

    def row_old_time(self, since):
        return self.row_late(since, keep=True)

    def change(self, since, alter, moves=True):
        found = self.visible()
        if not found:
            return False
        name, at = found
        line = alter(self.platform[name][at])
        if line is None:
            return False
        if moves:
            line = TIME.sub(f'"updtTime":"{self.stamp(since)}"', line, count=1)
            # A platform gives the version in force only, or all of them.
            if self.dice.random() < 0.5:
                del self.platform[name][at]
            self.platform[name].append(line)
        else:
            self.platform[name][at] = line
        return True

    def digit(self, line):
        spots = list(NUMBER.finditer(line))
        if not spots:
            return None
        spot = self.dice.choice(spots)
        return line[:spot.start(2)] + str(self.dice.randint(1, 9)) + line[spot.end(2):]

    def row_correction(self, since):
        return self.change(since, self.digit)

    def row_repair(self, since):
        return self.change(since, self.digit, moves=False)

    def row_void(self, since):
        def void(line):
            if '"valiFlag":"' in line:
                return re.sub(r'"valiFlag":"\w*"', '"valiFlag":"0"', line)
            return line.replace("{", '{"valiFlag":"0",', 1)
        return self.change(since, void)

    def row_file(self, _since):
        """A file that was delivered comes again, a few rows of it, one with another digit."""
        files = sorted(p for p in (self.world / "exports").rglob("*.csv") if "again" not in p.name and p.stat().st_size > 400)
        if not files:
            return False
        source = self.dice.choice(files)
        head, *rows = source.read_bytes().split(b"\n")
        rows = [r for r in rows if r.strip()]
        if not rows:
            return False
        some = self.dice.sample(rows, min(len(rows), self.dice.randint(1, 4)))
        digits = [m.start() for m in re.finditer(rb"(?<=[,.\d])\d(?=[\d.,])", some[0])]
        if digits:
            at = self.dice.choice(digits)
            some[0] = some[0][:at] + str(self.dice.randint(0, 9)).encode() + some[0][at + 1:]
        source.with_name(f"{source.stem}_again{self.dice.randrange(10**6)}.csv").write_bytes(b"\n".join([head, *some]) + b"\n")
        return True

    def serve(self):
        self.stop()
        for name, lines in self.platform.items():
            (self.world / "platform" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        until = self.now.strftime("%Y-%m-%dT%H:%M:%S")
        self.server, url = serve(self.yaojia, self.world, self.root / "simulate.log", "--until", until)
        if self.project is None:
            self.project = Project(self.yaojia, self.root / "project", self.world, url, until)
            config = self.project.folder / "yaojia.toml"
            text = config.read_text(encoding="utf-8").replace('#paths = ["sql-local"]', 'paths = ["sql-local"]')
            config.write_text(text, encoding="utf-8")
            (self.project.folder / "sql-local").mkdir()
        config = self.project.folder / "yaojia.toml"
        config.write_text(re.sub(r"http://127\.0\.0\.1:\d+", re.match(r"http://127\.0\.0\.1:\d+", url).group(0), config.read_text(encoding="utf-8")), encoding="utf-8")
        self.project.as_of = until

    def stop(self):
        if self.server:
            self.server.kill()
            self.server.wait()
            self.server = None

    # -- the events --------------------------------------------------------------------------------------------------------------

    def verb(self, *words, codes=(0,)):
        done = subprocess.run(self.project.command(*words), env=clean(), capture_output=True, text=True)
        if done.returncode not in codes:
            raise SystemError(f"`{' '.join(map(str, words))}` exits {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done

    def releases(self):
        if not (self.project.folder / "warehouse" / "_ops" / "release").exists():
            return []
        return json.loads(self.verb("release", "list", "--json").stdout)["releases"]

    def nightly(self):
        began = time.monotonic()
        self.verb("nightly")
        self.seconds = 0.5 * self.seconds + 0.5 * (time.monotonic() - began)

    def load(self):
        self.verb("load")

    def build(self):
        self.verb("build")

    def kill(self):
        verbs = [["nightly"], ["nightly"], ["build"], ["load"]]
        if "maintain" in self.verbs:
            verbs.append(["maintain"])
        if self.releases():
            verbs.append(["seal", self.months()[0]])
        if "backfill" in self.verbs:
            self.open_backfills()
            verbs.append(self.backfilling())
        verb = self.dice.choice(verbs)
        killed = self.project.kill(self.dice.uniform(0.05, self.seconds), verb)
        return f"{verb[0]}{'' if killed else ' (was done)'}"

    def months(self):
        last = self.now - timedelta(days=self.now.day)
        return [f"{last.year}-{m:02}" for m in range(1, last.month + 1)] or ["2024-01"]

    def backfilling(self):
        months = self.months()
        first = self.dice.randrange(len(months))
        last = self.dice.randrange(first, len(months))
        order = self.dice.choice(["--oldest-first", "--newest-first"])
        return ["backfill", "--from", months[first], "--to", months[last], order, "--why", "a history", "--by", "soak"]

    def backfill(self):
        self.open_backfills()
        words = self.backfilling()
        self.verb(*words)
        return " ".join(words[1:6])

    def open_backfills(self):
        """Those that a kill left open are resumed or cancelled."""
        if "backfill" not in self.verbs or not (self.project.folder / "warehouse" / "_ops").exists():
            return
        for one in json.loads(self.verb("backfill", "list", "--json").stdout)["backfills"]:
            if one["state"] not in ("done", "cancelled"):
                do = self.dice.choice((["resume"], ["resume"], ["cancel", "--by", "soak"]))
                self.verb("backfill", *do, one["id"])

    def maintain(self):
        self.verb("maintain")

    def seal(self):
        months = self.months()
        if not self.releases():
            return "nothing to seal"
        month = self.dice.choice(months)
        # A month that the current release does not close yet is refused: an answer, no failure.
        return f"{month}: exit {self.verb('seal', month, codes=(0, 1, 2)).returncode}"

    def rollback(self):
        releases = self.releases()
        if len(releases) < 2:
            return "nothing to take back"
        to = self.dice.choice(releases[:-1])["number"]
        # One whose files maintenance removed cannot be shown again.
        code = self.verb("release", "rollback", str(to), "--by", "soak", "--why", "a history", codes=(0, 1)).returncode
        return f"to {to}: exit {code}"

    def overlay(self, indicator):
        folder = self.project.folder / "sql-local" / "indicators" / indicator.name
        if not folder.exists():
            folder.mkdir(parents=True)
            for path in indicator.iterdir():
                if path.suffix in (".sql", ".toml"):
                    shutil.copy(path, folder)
        return folder

    def rule(self):
        """A new limit, which takes the place of the one before."""
        folder = self.dice.choice(sorted(f.parent for f in (SQL / "indicators").glob("*/rules.toml")))
        path = self.overlay(folder) / "rules.toml"
        blocks = (folder / "rules.toml").read_text(encoding="utf-8").split("[[rule]]")[1:]
        block = self.dice.choice(blocks)
        first = re.search(r'^id\s*=\s*"([^"]+)"', block, re.M).group(1)
        chain = self.chains.setdefault(first, [first])
        if not re.search(r'^limit\s*=\s*"', block, re.M) or re.search(r"^replaces", block, re.M):
            return "none"
        chain.append(f"{first}.h{len(chain)}")
        limit = f"{self.dice.randint(0, 3)}.{self.dice.randint(0, 99):02}"
        block = re.sub(r'^id\s*=.*$', f'id = "{chain[-1]}"\nreplaces = ["{chain[-2]}"]', block, flags=re.M)
        block = re.sub(r'^limit\s*=.*$', f'limit = "{limit}"', block, flags=re.M)
        path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n\n[[rule]]" + block.rstrip() + "\n", encoding="utf-8")
        return f"{chain[-1]} {limit}"

    def code(self):
        """Another formula: of an indicator a number among its parameters, of a fact its SQL."""
        if self.dice.random() < 0.4:
            path = self.project.folder / "sql-local" / "fact" / "fact_payment.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (SQL / "fact" / "fact_payment.sql").read_text(encoding="utf-8")
            limit = self.dice.randint(0, 300)
            changed = text.replace("shp.shpp_cnt > 0 THEN", f"shp.shpp_cnt > {limit} THEN")
            if changed == text and limit:
                raise SystemError("fact_payment.sql is not what this script knows")
            path.write_text(changed, encoding="utf-8")
            return f"fact_payment {limit}"
        own = [f for f in sorted((SQL / "indicators").iterdir()) if re.search(r'type = "int", value', (f / "indicator.toml").read_text(encoding="utf-8"))]
        path = self.overlay(self.dice.choice(own)) / "indicator.toml"
        text = path.read_text(encoding="utf-8")
        spots = list(re.finditer(r'type = "int", value = "(\d+)"', text))
        spot = self.dice.choice(spots)
        value = str(max(1, int(spot.group(1)) + self.dice.choice((-1, 1, 2))))
        path.write_text(text[:spot.start(1)] + value + text[spot.end(1):], encoding="utf-8")
        return f"{path.parent.name} {spot.group(1)} -> {value}"

    # -- a history ---------------------------------------------------------------------------------------------------------------

    def run(self):
        kinds = {"nightly": 5, "load": 2, "build": 1, "rule": 2, "code": 2, "kill": 3, "seal": 3, "rollback": 1}
        kinds |= {"backfill": 2} if "backfill" in self.verbs else {}
        kinds |= {"maintain": 2} if "maintain" in self.verbs else {}
        days = sorted(self.dice.sample(range(1, (LAST - FIRST).days), self.dice.randint(3, 6)))
        for day in days:
            since, self.now = self.now, FIRST + timedelta(days=day, hours=self.dice.randint(0, 23), minutes=7)
            said = self.arrive(since)
            self.serve()
            for kind in self.dice.choices(list(kinds), list(kinds.values()), k=self.dice.choice((1, 2, 2))):
                more = getattr(self, kind)()
                self.log.append(f"{self.project.as_of} {kind}{f' {more}' if more else ''} {said}")
                said = ""
        since, self.now = self.now, LAST
        self.arrive(since)
        self.serve()
        self.open_backfills()
        self.nightly()
        self.log.append(f"{self.project.as_of} the last nightly")
        for month in self.dice.sample(self.months(), 2):
            self.verb("seal", month)
        return self.differences()

    def differences(self):
        project, wrong = self.project, []
        if json.loads(self.verb("--json", "build").stdout)["changed"]:
            wrong.append("a build after the last nightly was not without work")
        self.stop()
        # From the warehouse alone from here on: the aliases are part of the configuration.
        shutil.rmtree(self.world / "exports")
        shutil.rmtree(self.world / "platform")
        (self.world / "exports").mkdir()
        state = project.state()
        full = Project.__new__(Project)
        full.yaojia, full.folder, full.as_of = self.yaojia, self.root / "full", project.as_of
        shutil.copytree(project.folder, full.folder)
        for part in BUILT:
            shutil.rmtree(full.folder / "warehouse" / part, ignore_errors=True)
        full.run("build")
        once = full.state()
        cells = sum(1 for name in once if name.startswith("gold."))
        if cells < 100:
            wrong.append(f"there is little to compare: {cells} gold cells")
        wrong += [f"{name}: full build {once.get(name)}, found {state.get(name)}" for name in sorted(once.keys() | state.keys()) if once.get(name) != state.get(name)]
        shutil.rmtree(full.folder)
        replayed = 0
        for release in self.releases():
            done = self.verb("replay", "--release", str(release["number"]), codes=(0, 1))
            replayed += 1
            if done.returncode:
                wrong.append(f"release {release['number']}: {done.stdout[-800:]}{done.stderr[-800:]}")
        seals = len(list((project.folder / "warehouse" / "_ops" / "seals").glob("*.json")))
        for words in ([["verify"]] if seals else []) + [["doctor", "--offline", "--deep"]]:
            done = self.verb(*words, codes=(0, 1))
            said = "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("ok ", "skip ")))
            # A card's worked examples are of its own rules and parameters, and the history has others.
            examples = words[0] == "doctor" and re.findall(r"^FAIL +(\w+)", said, re.M) == ["indicators"]
            if done.returncode and not examples:
                wrong.append(f"{' '.join(words)}: {said[:3000]}{done.stderr[-800:]}")
        return cells, replayed, seals, wrong


def one(yaojia, root, number, keep):
    folder = root / f"history-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began, history = time.monotonic(), History(yaojia, folder, number)
    try:
        cells, replayed, seals, wrong = history.run()
    except (SystemError, SystemExit, OSError, ValueError, KeyError) as error:
        cells, replayed, seals, wrong = 0, 0, 0, [f"{type(error).__name__}: {error}"]
    finally:
        history.stop()
    kinds = [line.split()[1] for line in history.log]
    print(f"history {number}: {len(kinds)} events, {replayed} releases replayed, {seals} seals, {cells} cells, {time.monotonic() - began:.0f} s: "
          + ("ok" if not wrong else f"{len(wrong)} DIFFERENCES"), flush=True)
    if wrong:
        print("\n".join(f"    {line}" for line in history.log + wrong[:12]), flush=True)
    if not wrong and not keep:
        shutil.rmtree(folder)
    return number, replayed, seals, kinds, bool(wrong)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--histories", type=int, default=100)
    p.add_argument("--from", dest="first", type=int, default=1, help="number of the first")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--keep", type=Path, help="keep the folders here (those with differences are always kept)")
    a = p.parse_args()
    yaojia = binary()
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-histories-"))).resolve()
    with ThreadPoolExecutor(a.jobs) as pool:
        results = list(pool.map(lambda n: one(yaojia, root, n, a.keep), range(a.first, a.first + a.histories)))
    bad = [r[0] for r in results if r[4]]
    events = {}
    for result in results:
        for kind in result[3]:
            events[kind] = events.get(kind, 0) + 1
    print(f"{'FAIL' if bad else 'PASS'}: {len(results)} histories, {len(bad)} with differences{f': {bad}, in {root}' if bad else ''}; {sum(r[1] for r in results)} releases replayed, "
          f"{sum(r[2] for r in results)} seals verified; events {json.dumps(events)}")
    if not bad and not a.keep:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
