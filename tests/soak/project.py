"""What the soak tests share: the simulator over a world, and a project folder with what it must be compared by."""
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

AS_OF = "2024-04-16T02:00:00"


def binary():
    """The binary under test, absolute."""
    yaojia = os.environ.get("YAOJIA", "target/debug/yaojia")
    if not Path(yaojia).is_file():
        sys.exit(f"there is no binary at `{yaojia}`: run `cargo build --workspace --bins` first, or set YAOJIA")
    return str(Path(yaojia).resolve())


def make_world(yaojia, folder, size, seed):
    """Writes a world of the simulator."""
    subprocess.run([yaojia, "simulate", "--size", size, "--seed", str(seed), "--write", folder, "--no-serve"], check=True, env=clean(), stdout=subprocess.DEVNULL)


def clean():
    """The environment without what the binary listens to."""
    return {name: value for name, value in os.environ.items() if not name.startswith("YAOJIA") and name != "NO_COLOR"}


def serve(yaojia, world, log, *options):
    """The simulator over the world; returns the process and its base URL."""
    with log.open("w") as out:
        process = subprocess.Popen([yaojia, "simulate", "--world", world, "--addr", "127.0.0.1:0", *options], stdout=out, stderr=subprocess.STDOUT, env=clean())
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

    def copy(self, folder):
        """A copy of the project with its warehouse."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder = folder
        return other

    def kill(self, delay, verb):
        """Starts a verb, kills it after the delay; whether it was still there."""
        process = subprocess.Popen(self.command(*verb), env=clean(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
