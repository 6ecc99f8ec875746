#!/usr/bin/env python3
"""Tampers with a warehouse, before and after months of it were sealed: `doctor --deep` or `verify` must name the file, cell or commit.

    YAOJIA=target/debug/yaojia python3 tests/soak/tampers.py [--tampers 300] [--seed 1] [--only WORDS] [--keep DIR]

Flipped bytes; numbers forged consistently (rows, the hash in the file's name, the log; with and without the digest in the name and the ledger);
logs, checkpoints, positions, releases, reports; deletions; exchanges of two files, cells or commits. Kinds are taken in turn, each on files that
the seed picks; every tamper is undone before the next. What somebody with the sealing key or with the whole ledger in hand can do is not
tried: docs/audit.md says what shows then. The exit code is 0 only if each was named and both warehouses hold at the beginning and at the end.
Needs Python with pyarrow and deltalake.
"""
import argparse
import decimal
import hashlib
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from project import AS_OF, Project, binary, clean, make_world, serve

NIGHTS = ["2024-02-10T02:00:00", "2024-03-12T02:00:00", AS_OF]
MONTHS = ["2024-01", "2024-02", "2024-03"]


class Warehouse:
    """A warehouse's files; what is written, removed or added is undone."""

    def __init__(self, project):
        self.project, self.root, self.held = project, project.folder / "warehouse", {}

    def path(self, name):
        return self.root / name

    def read(self, name):
        return self.path(name).read_bytes()

    def keep(self, name):
        self.held.setdefault(name, self.read(name) if self.path(name).is_file() else None)

    def write(self, name, data):
        self.keep(name)
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)

    def remove(self, name):
        self.keep(name)
        self.path(name).unlink()

    def undo(self):
        for name, data in self.held.items():
            self.path(name).unlink(missing_ok=True)
            if data is not None:
                self.path(name).write_bytes(data)
        self.held = {}

    def glob(self, pattern, least=1):
        found = sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern) if path.is_file())
        if len(found) < least:
            raise LookupError(f"there is no {pattern}")
        return found

    # Delta logs

    def commits(self, table):
        return self.glob(f"{table}/_delta_log/*.json")

    def actions(self, commit):
        return [json.loads(line) for line in self.read(commit).decode().splitlines()]

    def put_actions(self, commit, actions):
        self.write(commit, "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in actions).encode())

    def live(self, table):
        """Path in the log → (commit, add action) of the files in use."""
        files = {}
        for commit in self.commits(table):
            for action in self.actions(commit):
                if "add" in action:
                    files[action["add"]["path"]] = (commit, action["add"])
                elif "remove" in action:
                    files.pop(action["remove"]["path"], None)
        return files

    def tables(self, layer):
        return sorted({str(Path(name).parent.parent) for name in self.glob(f"{layer}/*/_delta_log/*.json")})

    # Consistent forgeries

    def forge(self, table, path, change, digest="kept", leave=False):
        """Replaces a file in use by one with other rows under a name that fits its bytes, and has the log say so. `digest`: the digest in its name is
        `kept`, or is `true` to the rows. Returns the new path below the root."""
        commit, add = self.live(table)[path]
        plain = path.replace("%3D", "=")
        rows = change(pq.read_table(self.path(f"{table}/{plain}"), partitioning=None))
        new, data = self.named(plain, rows, digest)
        if not leave:
            self.remove(f"{table}/{plain}")
        self.write(f"{table}/{new}", data)
        actions = self.actions(commit)
        for action in actions:
            if action.get("add", {}).get("path") == path:
                action["add"].update(path=path.replace(Path(plain).name, Path(new).name), size=len(data), stats=json.dumps({"numRecords": rows.num_rows}))
        self.put_actions(commit, actions)
        return f"{table}/{new}"

    def named(self, plain, rows, digest):
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd", store_schema=True)
        data = sink.getvalue().to_pybytes()
        folder, _, name = plain.rpartition("/")
        parts = name[: -len(".parquet")].split("-")
        if digest == "true":
            parts[0] = canonical(rows)
        parts[-1] = hashlib.sha256(data).hexdigest()[:16]
        return f"{folder}/{'-'.join(parts)}.parquet".lstrip("/"), data

    def append(self, table, actions):
        """One more commit."""
        last = self.commits(table)[-1]
        name = f"{table}/_delta_log/{int(Path(last).stem) + 1:020}.json"
        self.put_actions(name, [{"commitInfo": {"timestamp": 0, "operation": "WRITE"}}, *actions])
        return name


def canonical(rows):
    """The canonical digest of rows in their order, as docs/audit.md and models/src/digest.rs have it; provenance columns are left out."""
    hasher = hashlib.sha256()
    columns = []
    for field in rows.schema:
        if field.name.startswith("_") or field.name in ("run_id", "first_run_id"):
            continue
        columns.append((field.type, rows.column(field.name).combine_chunks()))
    for row in range(rows.num_rows):
        for kind, column in columns:
            value = column[row]
            if not value.is_valid:
                hasher.update(b"\0")
                continue
            hasher.update(b"\1")
            if pa.types.is_string(kind):
                text = value.as_py().encode()
                hasher.update(len(text).to_bytes(4, "big") + text)
            elif pa.types.is_decimal(kind):
                hasher.update(int(value.as_py().scaleb(kind.scale)).to_bytes(16, "big", signed=True))
            elif pa.types.is_timestamp(kind):
                hasher.update(value.value.to_bytes(8, "big", signed=True))
            elif pa.types.is_date32(kind):
                hasher.update(value.value.to_bytes(4, "big", signed=True))
            elif pa.types.is_int64(kind):
                hasher.update(value.as_py().to_bytes(8, "big", signed=True))
            elif pa.types.is_float64(kind):
                hasher.update(struct.pack(">d", value.as_py()))
            elif pa.types.is_boolean(kind):
                hasher.update(bytes([value.as_py()]))
            else:
                raise TypeError(f"{field} has the type {kind}")
    return hasher.hexdigest()


decimal.getcontext().prec = 60


def number(dice):
    """Changes one number of one row."""

    def change(rows):
        fields = [f for f in rows.schema if not f.name.startswith("_") and (pa.types.is_decimal(f.type) or pa.types.is_int64(f.type))]
        dice.shuffle(fields)
        for field in fields:
            values = rows.column(field.name).to_pylist()
            at = [n for n, value in enumerate(values) if value is not None]
            if at:
                values[dice.choice(at)] += 1
                return rows.set_column(rows.schema.get_field_index(field.name), field, pa.array(values, field.type))
        raise LookupError("no number in it")

    return change


def digit(dice):
    """Changes one digit of one text, as bronze holds numbers."""

    def change(rows):
        fields = [f for f in rows.schema if not f.name.startswith("_") and pa.types.is_string(f.type)]
        dice.shuffle(fields)
        for field in fields:
            values = rows.column(field.name).to_pylist()
            at = [n for n, value in enumerate(values) if value and re.search(r"\d", value)]
            if at:
                n = dice.choice(at)
                values[n] = re.sub(r"\d", lambda found: str((int(found.group()) + 1) % 10), values[n], count=1)
                return rows.set_column(rows.schema.get_field_index(field.name), field, pa.array(values, field.type))
        raise LookupError("no digit in it")

    return change


def without_a_row(dice):
    """Takes one row out."""

    def change(rows):
        if rows.num_rows < 2:
            raise LookupError("too few rows")
        gone = dice.randrange(rows.num_rows)
        return pa.concat_tables([rows.slice(0, gone), rows.slice(gone + 1)])

    return change


def names(*paths):
    """What may name a file: its whole name, or the beginning of it up to the hash of its bytes."""
    found = []
    for path in paths:
        found += [Path(path).name, Path(path).stem]
    return found


def cell(table, path):
    """How a cell is called: `gold.fact_order 652801 2024-01`, or as seals have it."""
    found = re.search(r"county=([^/]+)/month=([^/]+)", path.replace("%3D", "="))
    label = table.replace("/", ".")
    return [f"{label} {found.group(1)} {found.group(2)}", f"{label}/county={found.group(1)}/month={found.group(2)}"]


# Kinds: each tampers and returns the words of which one must be said. `sealed`: only of a warehouse with seals.

KINDS = []


def kind(text, sealed=None):
    def add(function):
        KINDS.append((text, function, sealed))
        return function

    return add


def pick(w, dice, layer, only=None):
    """A table of a layer with a file in use that has rows, and the file."""
    tables = [f"{layer}/{name}" for name in only] if only else w.tables(layer)
    dice.shuffle(tables)
    for table in tables:
        files = sorted(path for path, (_, add) in w.live(table).items() if json.loads(add["stats"])["numRecords"] > 1 and "county" in path)
        if files:
            return table, dice.choice(files)
    raise LookupError(f"no rows in {layer}")


def facts(w):
    return [table.split("/")[1] for table in w.tables("gold") if "/fact_" in table]


for label, pattern, when in [
    ("a byte of an archived original", "archive/*/*", None), ("a byte of a bronze file", "bronze/*/county=*/month=*/*.parquet", None),
    ("a byte of a silver file", "silver/*/*/*/*.parquet", None), ("a byte of a gold file", "gold/*/county=*/month=*/*.parquet", None),
    ("a byte of the ledger", "_ops/*/part-*.parquet", None), ("a byte of a text", "_ops/texts/*/*", None),
    ("a byte of a commit", "*/*/_delta_log/*.json", None), ("a byte of a report", "_ops/runs/*/*", None),
    ("a byte of a pinned cell", "_ops/sealed/*/*.parquet", True), ("a byte of a seal", "_ops/seals/*.json", True),
]:
    @kind(label, when)
    def flip(w, dice, pattern=pattern):
        path = dice.choice(w.glob(pattern))
        data = bytearray(w.read(path))
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        w.write(path, bytes(data))
        return [*names(path), Path(path).name.split(".")[0]]


for label, layer, change, digest in [
    ("a number of a fact, the digest kept in the name", "fact", number, "kept"), ("a number of a fact, with its true digest", "fact", number, "true"),
    ("a row of a fact gone, the digest kept", "fact", without_a_row, "kept"), ("a row of a fact gone, with its true digest", "fact", without_a_row, "true"),
    ("an indicator's value, the digest kept", "value", number, "kept"), ("an indicator's value, with its true digest", "value", number, "true"),
    ("an alert gone, the digest kept", "alert", without_a_row, "kept"), ("an alert gone, with its true digest", "alert", without_a_row, "true"),
    ("a number of silver, the digest kept", "silver", number, "kept"), ("a number of silver, with its true digest", "silver", number, "true"),
]:
    @kind(label)
    def forge(w, dice, layer=layer, change=change, digest=digest):
        only = {"fact": facts(w), "value": ["indicator_value"], "alert": ["alert"]}.get(layer)
        table, path, new = forged(w, dice, "silver" if layer == "silver" else "gold", change, only, digest=digest)
        commit = next(commit for path, (commit, _) in w.live(table).items() if path.endswith(Path(new).name))
        return [*names(new, commit), *cell(table, path)]


def forged(w, dice, layer, change, only=None, **how):
    """A file in use forged; some have nothing in them that can be."""
    for _ in range(20):
        table, path = pick(w, dice, layer, only)
        try:
            return table, path, w.forge(table, path, change(dice), **how)
        except LookupError:
            w.undo()
    raise LookupError("nothing to forge")


@kind("a number of a fact, with its true digest and the ledger's mark of it")
def forge_mark(w, dice):
    table, path, new = forged(w, dice, "gold", number, facts(w), digest="true")
    old = Path(path).name.split("-")[0]
    digest = Path(new).name.split("-")[0]
    for mark in w.live("_ops/cell"):
        rows = pq.read_table(w.path(f"_ops/cell/{mark}"))
        digests = rows.column("digest").to_pylist()
        if old in digests:
            at = rows.schema.get_field_index("digest")
            change = lambda _: rows.set_column(at, rows.schema.field(at), pa.array([digest if one == old else one for one in digests]))
            row = w.forge("_ops/cell", mark, change)
            return [*names(row), Path(mark).stem, *names(*[commit for commit, add in w.live("_ops/cell").values() if add["path"] == Path(row).name])]
    raise LookupError("no mark")


@kind("a digit of bronze")
def forge_bronze(w, dice):
    table, path, new = forged(w, dice, "bronze", digit)
    commit = next(commit for p, (commit, _) in w.live(table).items() if p.endswith(Path(new).name))
    return [*names(new, path), Path(commit).name]


@kind("a digit of bronze, what was sealed left lying", True)
def forge_sealed_bronze(w, dice):
    table, path, new = forged(w, dice, "bronze", digit, leave=True)
    commit = next(commit for p, (commit, _) in w.live(table).items() if p.endswith(Path(new).name))
    return [*names(new, path), Path(commit).name]


def exchange_by_commit(w, dice, layer, change, only=None, digest="kept"):
    """A commit more, which takes a file out and puts a forged one in."""
    for _ in range(20):
        table, path = pick(w, dice, layer, only)
        plain = path.replace("%3D", "=")
        try:
            rows = change(dice)(pq.read_table(w.path(f"{table}/{plain}"), partitioning=None))
            break
        except LookupError:
            continue
    else:
        raise LookupError("nothing to forge")
    _, add = w.live(table)[path]
    new, data = w.named(plain, rows, digest)
    w.write(f"{table}/{new}", data)
    forged = dict(add, path=path.replace(Path(plain).name, Path(new).name), size=len(data), stats=json.dumps({"numRecords": rows.num_rows}))
    gone = {"path": path, "deletionTimestamp": 0, "dataChange": True, "extendedFileMetadata": True, "partitionValues": add["partitionValues"], "size": add["size"]}
    commit = w.append(table, [{"remove": gone}, {"add": forged}])
    return table, new, commit


@kind("a digit of bronze by one more commit")
def commit_bronze(w, dice):
    _, new, commit = exchange_by_commit(w, dice, "bronze", digit)
    return names(new, commit)


@kind("a number of a fact by one more commit")
def commit_gold(w, dice):
    _, new, commit = exchange_by_commit(w, dice, "gold", number, facts(w), "true")
    return names(new, commit)


@kind("a number of a fact by one more commit, and a release that shows it")
def commit_release(w, dice):
    table, new, commit = exchange_by_commit(w, dice, "gold", number, facts(w), "true")
    path = max(w.live("_ops/release"))
    rows = pq.read_table(w.path(f"_ops/release/{path}"))
    names_, versions = rows.column("table_name").to_pylist(), rows.column("version").to_pylist()
    label = table.replace("/", ".")
    versions = [int(Path(commit).stem) if name == label else version for name, version in zip(names_, versions)]
    at = rows.schema.get_field_index("version")
    forged = w.forge("_ops/release", path, lambda _: rows.set_column(at, rows.schema.field(at), pa.array(versions, pa.int64())))
    return names(new, commit, forged)


@kind("two cells' files exchanged in the log")
def exchange_cells(w, dice):
    for _ in range(50):
        table, one = pick(w, dice, "gold", facts(w))
        others = [path for path in w.live(table) if path.rpartition("/")[0] != one.rpartition("/")[0]]
        if others:
            break
    else:
        raise LookupError("no two cells")
    other = dice.choice(others)
    a, b = (f"{table}/{path.replace('%3D', '=')}" for path in (one, other))
    a_data, b_data = w.read(a), w.read(b)
    new_a, new_b = f"{Path(a).parent}/{Path(b).name}", f"{Path(b).parent}/{Path(a).name}"
    w.remove(a), w.remove(b), w.write(new_a, b_data), w.write(new_b, a_data)
    live = w.live(table)
    for commit in sorted({live[one][0], live[other][0]}):
        actions = w.actions(commit)
        for action in actions:
            add = action.get("add", {})
            if add.get("path") in (one, other):
                there = other if add["path"] == one else one
                add.update(path=f"{add['path'].rpartition('/')[0]}/{there.rpartition('/')[2]}", size=live[there][1]["size"], stats=live[there][1]["stats"])
        w.put_actions(commit, actions)
    return [*cell(table, one), *cell(table, other), *names(live[one][0], live[other][0])]


def edit_add(w, dice, change):
    table, path = pick(w, dice, dice.choice(["gold", "silver", "bronze"]))
    commit, _ = w.live(table)[path]
    actions = w.actions(commit)
    for action in actions:
        if action.get("add", {}).get("path") == path:
            change(action["add"])
    w.put_actions(commit, actions)
    return [*names(path, commit)]


@kind("the number of rows in a log")
def edit_rows(w, dice):
    return edit_add(w, dice, lambda add: add.update(stats=json.dumps({"numRecords": json.loads(add["stats"])["numRecords"] + 1})))


@kind("statistics in a log, by which readers pass over rows")
def edit_stats(w, dice):
    table, path = pick(w, dice, "gold", ["indicator_value"])
    commit, _ = w.live(table)[path]
    actions = w.actions(commit)
    for action in actions:
        add = action.get("add", {})
        if add.get("path") == path:
            rows = json.loads(add["stats"])["numRecords"]
            add["stats"] = json.dumps({"numRecords": rows, "minValues": {"indicator_id": "X"}, "maxValues": {"indicator_id": "Y"}, "nullCount": {"indicator_id": 0}})
    w.put_actions(commit, actions)
    return names(path, commit)


@kind("the partition of a file in a log")
def edit_partition(w, dice):
    return edit_add(w, dice, lambda add: add["partitionValues"].update(month="2023-12"))


@kind("a file taken out of a log")
def take_out(w, dice):
    table, path = pick(w, dice, dice.choice(["gold", "silver", "bronze"]))
    commit, _ = w.live(table)[path]
    w.put_actions(commit, [action for action in w.actions(commit) if action.get("add", {}).get("path") != path])
    return [*names(path, commit), *cell(table, path)]


@kind("how far the platform was read")
def edit_position(w, dice):
    found = [(commit, n) for commit in w.glob("bronze/*/_delta_log/*.json") for n, action in enumerate(w.actions(commit)) if "txn" in action]
    commit, n = dice.choice(found)
    actions = w.actions(commit)
    actions[n]["txn"]["version"] += 86400
    w.put_actions(commit, actions)
    return names(commit)


@kind("a table's description")
def edit_metadata(w, dice):
    commit = dice.choice(w.glob("gold/*/_delta_log/00000000000000000000.json"))
    actions = w.actions(commit)
    for action in actions:
        if "metaData" in action:
            action["metaData"]["description"] = "other"
    w.put_actions(commit, actions)
    return names(commit)


@kind("a checkpoint that says something else than the log")
def forge_checkpoint(w, dice):
    from deltalake import DeltaTable

    table, path = pick(w, dice, "gold")
    before = set(w.glob(f"{table}/_delta_log/*"))
    DeltaTable(w.path(table)).create_checkpoint()
    made = sorted(set(w.glob(f"{table}/_delta_log/*")) - before)
    for name in made:
        w.held[name] = None
    made = next(name for name in made if name.endswith(".parquet"))
    rows = pq.read_table(w.path(made))
    keep = [not (one and one["path"].replace("%3D", "=") == path.replace("%3D", "=")) for one in rows.column("add").to_pylist()]
    if all(keep):
        raise LookupError("the file is not in the checkpoint")
    pq.write_table(rows.filter(pa.array(keep)), w.path(made))
    return [*names(made, path), *cell(table, path)]


def remove_last(w, table):
    last = w.commits(table)[-1]
    w.remove(last)
    return names(last)


@kind("the newest release commit removed")
def last_release(w, dice):
    return remove_last(w, "_ops/release")


@kind("the last bronze commit removed")
def last_bronze(w, dice):
    return remove_last(w, dice.choice([table for table in w.tables("bronze") if len(w.commits(table)) > 1]))


@kind("the last gold commit removed")
def last_gold(w, dice):
    return remove_last(w, dice.choice([table for table in w.tables("gold") if len(w.commits(table)) > 1]))


@kind("the last commit of the ledger removed")
def last_ledger(w, dice):
    return remove_last(w, dice.choice([table for table in w.tables("_ops") if len(w.commits(table)) > 1 and table != "_ops/head"]))


@kind("the end of the record of commits removed")
def last_head(w, dice):
    w.remove(w.commits("_ops/head")[-1])
    return ["no run put it on record", "_ops.head"]


@kind("a row of the record of commits changed")
def edit_head(w, dice):
    path = dice.choice(sorted(w.live("_ops/head")))
    rows = pq.read_table(w.path(f"_ops/head/{path}"))
    values, at = rows.column("sha256").to_pylist(), rows.schema.get_field_index("sha256")
    values[dice.randrange(len(values))] = "0" * 64
    w.forge("_ops/head", path, lambda _: rows.set_column(at, rows.schema.field(at), pa.array(values)))
    return ["_ops.head"]


@kind("two commits exchanged")
def exchange_commits(w, dice):
    table = dice.choice([table for table in w.tables("_ops") if len(w.commits(table)) > 2])
    one, other = dice.sample(w.commits(table)[1:], 2)
    a, b = w.read(one), w.read(other)
    w.write(one, b), w.write(other, a)
    return names(one, other)


@kind("a commit twice")
def add_commit(w, dice):
    table = dice.choice(w.tables(dice.choice(["gold", "bronze", "_ops"])))
    last = w.commits(table)[-1]
    more = f"{table}/_delta_log/{int(Path(last).stem) + 1:020}.json"
    w.write(more, w.read(last))
    return names(more)


def forge_ledger(w, dice, table, column, value):
    path = dice.choice(sorted(w.live(table)))
    rows = pq.read_table(w.path(f"{table}/{path}"))
    values, at = rows.column(column).to_pylist(), rows.schema.get_field_index(column)
    n = dice.randrange(len(values))
    values[n] = value(values[n])
    new = w.forge(table, path, lambda _: rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type)))
    commit = next(commit for p, (commit, _) in w.live(table).items() if p == Path(new).name)
    return names(new, path, commit)


@kind("a version in a release")
def edit_release(w, dice):
    return forge_ledger(w, dice, "_ops/release", "version", lambda version: max(version - 1, 0))


@kind("a row count in the load ledger")
def edit_load(w, dice):
    return forge_ledger(w, dice, "_ops/load", "row_count", lambda count: count + 1)


@kind("the texts a release was made with")
def edit_basis(w, dice):
    return forge_ledger(w, dice, "_ops/basis", "bundle", lambda bundle: bundle[::-1])


@kind("a rule in the ledger of rules")
def edit_rule(w, dice):
    table = "_ops/rule"
    column = pq.read_table(w.path(f"{table}/{sorted(w.live(table))[0]}")).schema.names[-1]
    return forge_ledger(w, dice, table, column, lambda value: f"{value}0" if isinstance(value, str) else value + 1)


@kind("a report edited")
def edit_report(w, dice):
    path = dice.choice(w.glob("_ops/runs/*/run.json"))
    report = json.loads(w.read(path))
    report["release"] = (report["release"] or 0) + 1
    w.write(path, json.dumps(report, indent=2).encode())
    return [path, Path(path).parent.name]


@kind("a lineage report edited")
def edit_lineage(w, dice):
    path = dice.choice(w.glob("_ops/runs/*/openlineage.jsonl"))
    w.write(path, w.read(path).replace(b"COMPLETE", b"FAIL"))
    return [path, Path(path).parent.name]


for label, pattern, when in [
    ("an archived original gone", "archive/*/*", None), ("a text gone", "_ops/texts/*/*", None), ("a report gone", "_ops/runs/*/run.json", None),
    ("a bronze file gone", "bronze/*/county=*/month=*/*.parquet", None), ("a file of the ledger gone", "_ops/*/part-*.parquet", None),
    ("a pinned cell gone", "_ops/sealed/*/*.parquet", True), ("a seal gone", "_ops/seals/*.json", True),
]:
    @kind(label, when)
    def gone(w, dice, pattern=pattern):
        path = dice.choice(w.glob(pattern))
        w.remove(path)
        return [path, *names(path), Path(path).name.split(".")[0]]


for label, layer in [("a silver file in use gone", "silver"), ("a gold file in use gone", "gold")]:
    @kind(label)
    def live_gone(w, dice, layer=layer):
        table, path = pick(w, dice, layer)
        w.remove(f"{table}/{path.replace('%3D', '=')}")
        return names(path)


@kind("the newest seal and its commit in the ledger removed", True)
def last_seal(w, dice):
    seal = w.glob("_ops/seals/*.json")[-1]
    w.remove(seal)
    return [*names(seal), *remove_last(w, "_ops/seal")]


@kind("a number of a seal", True)
def edit_seal(w, dice):
    import base64

    path = dice.choice(w.glob("_ops/seals/*.json"))
    envelope = json.loads(w.read(path))
    statement = json.loads(base64.b64decode(envelope["payload"]))
    subject = dice.choice(statement["subject"])
    subject["annotations"]["rows"] += 1
    envelope["payload"] = base64.b64encode(json.dumps(statement, separators=(",", ":")).encode()).decode()
    w.write(path, (json.dumps(envelope, indent=2) + "\n").encode())
    return names(path)


for label, pattern, when in [
    ("two originals exchanged", "archive/*/*", None), ("two texts exchanged", "_ops/texts/*/*", None), ("two reports exchanged", "_ops/runs/*/run.json", None),
    ("two gold files exchanged", "gold/*/county=*/month=*/*.parquet", None), ("two bronze files exchanged", "bronze/*/county=*/month=*/*.parquet", None),
    ("two pinned cells exchanged", "_ops/sealed/*/*.parquet", True), ("two seals exchanged", "_ops/seals/*.json", True),
]:
    @kind(label, when)
    def exchange(w, dice, pattern=pattern):
        files = w.glob(pattern, least=2)
        one = dice.choice(files)
        other = dice.choice([path for path in files if w.read(path) != w.read(one)])
        a, b = w.read(one), w.read(other)
        w.write(one, b), w.write(other, a)
        return [one, other, *names(one, other), Path(one).name.split(".")[0]]


def said(project, sealed):
    """What the commands say that find something."""
    words = []
    for command in (["doctor", "--offline", "--deep"], ["verify", "--no-recompute"]):
        if command[0] == "verify" and not sealed:
            continue
        done = subprocess.run(project.command(*command), env=clean(), capture_output=True, text=True)
        if done.returncode != 0:
            words.append((command[0], "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("ok "))))
    return words


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tampers", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--step", type=int, default=1, help="of the kinds only every so many")
    p.add_argument("--only", default="", help="only kinds with these words in their names")
    p.add_argument("--keep", type=Path)
    a = p.parse_args()
    yaojia, dice = binary(), random.Random(a.seed)
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-tampers-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    make_world(yaojia, root / "world", "tiny", a.seed)
    platform, url = serve(yaojia, root / "world", root / "simulate.log")
    try:
        project = Project(yaojia, root / "project", root / "world", url, NIGHTS[0])
        for night in NIGHTS:
            project.as_of = night
            project.run("nightly")
        other = project.copy(root / "sealed")
        for month in MONTHS:
            other.run("seal", month)
        places = {False: Warehouse(project), True: Warehouse(other)}

        def hold(recompute):
            for sealed, w in places.items():
                w.project.run("doctor", "--offline", "--deep")
                if sealed:
                    w.project.run("verify", *([] if recompute else ["--no-recompute"]))

        hold(False)
        kinds = [(text, function, sealed) for text, function, only in KINDS for sealed in ((True,) if only else (False, True)) if a.only in text]
        if not kinds:
            sys.exit(f"no kind has the words `{a.only}`")
        print(f"{len({text for text, _, _ in kinds})} kinds, before and after seals {len(kinds)}", flush=True)
        began, missed, unnamed, by, done = time.monotonic(), [], [], {}, 0
        for n in range(a.tampers):
            text, function, sealed = kinds[n * a.step % len(kinds)]
            w = places[sealed]
            what = f"{text}{' (sealed)' if sealed else ''}"
            try:
                expected = function(w, dice)
            except LookupError as error:
                w.undo()
                missed.append(f"{what}: cannot be tried: {error}")
                print(missed[-1], flush=True)
                continue
            touched = sorted(w.held)
            words = said(w.project, sealed)
            w.undo()
            done += 1
            named = [command for command, output in words if any(word in output for word in expected)]
            if done % 25 == 0:
                print(f"{done} done after {time.monotonic() - began:.0f} s", flush=True)
            for command in named:
                by[command] = by.get(command, 0) + 1
            if not words:
                missed.append(f"{what}: {touched[:3]}")
                print("MISSED", missed[-1], flush=True)
            elif not named:
                unnamed.append(f"{what}: {expected[:4]} is not in what was said:\n{words[0][1][:1500]}")
                print("not named:", unnamed[-1], flush=True)
        hold(True)
        print(f"{'FAIL' if missed or unnamed else 'PASS'}: {done} tampers of {min(len(kinds), a.tampers)} kinds and states in {time.monotonic() - began:.0f} s, "
              f"{len(missed)} missed, {len(unnamed)} not named, named by {json.dumps(by)}")
        return 1 if missed or unnamed else 0
    finally:
        platform.kill()
        platform.wait()
        if not a.keep:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
