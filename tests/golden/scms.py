#!/usr/bin/env python3
"""Loads real data nobody here made through a mapping profile, with the real binary, and accounts for every row.

    YAOJIA=target/debug/yaojia python3 tests/golden/scms.py ../shared/data/scms [--keep DIR]

The folder holds SCMS_Delivery_History_Dataset.csv (never copied into this repository). The profile is docs/examples/profiles/scms.toml.
What must hold is computed here from the file itself, by other code than ours (Python's csv and decimal), and its control totals are
those published beside the file. Exit code 0 only if everything is equal.
"""
import argparse
import csv
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "SCMS_Delivery_History_Dataset.csv"
ROWS, QUANTITY, VALUE = 10_324, Decimal("189265090"), Decimal("1627584457.29")
LATE, RECORDED_LATE = 1_186, 1_908
AS_OF = "2015-10-01T02:00:00"


def day(text):
    return datetime.datetime.strptime(text, "%d-%b-%y").date().isoformat()


def is_date(text):
    try:
        datetime.datetime.strptime(text, "%m/%d/%Y")
        return True
    except ValueError:
        return False


class Checks:
    def __init__(self):
        self.bad = 0

    def equal(self, what, got, want):
        same = got == want
        self.bad += not same
        print(f"{'ok  ' if same else 'FAIL'} {what}: {got}" + ("" if same else f", wanted {want}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="make the project here and leave it")
    args = parser.parse_args()
    yaojia = os.path.abspath(os.environ.get("YAOJIA", "target/debug/yaojia"))
    source = args.data / NAME
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    folder = args.keep or Path(tempfile.mkdtemp(prefix="yaojia-scms-"))
    try:
        return prove(yaojia, source, rows, folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


def prove(yaojia, source, rows, folder):
    (folder / "landing/scms").mkdir(parents=True)
    (folder / "profiles").mkdir()
    for name in ["scms.toml", "scms-countries.csv"]:
        shutil.copy(REPOSITORY / "docs/examples/profiles" / name, folder / "profiles")
    shutil.copy(source, folder / "landing/scms")
    # the published totals as a control file: a file that does not hold them is refused as a whole
    control = {"rows": ROWS, "sums": {"line item quantity": str(QUANTITY), "line item value": str(VALUE)},
               "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    (folder / f"landing/scms/{NAME}.ctl.json").write_text(json.dumps(control), encoding="utf-8")
    (folder / "yaojia.toml").write_text(
        '[region]\ncode = "900000"\nname = "SCMS"\nfirst_month = "2015-08"\n[export]\nroot = "landing"\n', encoding="utf-8")

    def run(*words):
        done = subprocess.run([yaojia, "--project", str(folder), "--as-of", AS_OF, "--no-progress", *words],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{words[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def query(sql):
        return json.loads(run("query", sql, "--json"))["rows"]

    began = time.monotonic()
    first = json.loads(run("nightly", "--json"))
    print(f"nightly took {time.monotonic() - began:.0f} s")
    check = Checks()
    check.equal("the file itself holds its published totals",
                (len(rows), sum(Decimal(r["line item quantity"]) for r in rows), sum(Decimal(r["line item value"]) for r in rows)),
                (ROWS, QUANTITY, VALUE))
    check.equal("files refused", first["load"]["refused"], [])
    counts = json.loads(run("status", "--silver-counts"))
    for name in ["ord_detl", "shp"]:
        of = counts[name]
        reasons = of.get("quarantined", {})
        check.equal(f"{name}: rows received", of["received"] + of.get("repeated", 0), ROWS)
        print(f"     {name}: accepted {of['accepted']}, quarantined {reasons}, superseded {of['superseded']}, void {of['void']}, repeated {of.get('repeated', 0)}")
        check.equal(f"{name}: accepted + quarantined by reason + superseded + void", of["accepted"] + sum(reasons.values()) + of["superseded"] + of["void"], of["received"])
        check.equal(f"{name}: superseded, void, repeated", (of["superseded"], of["void"], of.get("repeated", 0)), (0, 0, 0))

    # order lines: only a date that is words keeps one back, and it is the file's word
    undated = [r for r in rows if not is_date(r["po sent to vendor date"])]
    check.equal("ord_detl: quarantined", counts["ord_detl"]["quarantined"], {"bad_date": len(undated)})
    words = query("SELECT q.column_name, q.column_value, COUNT(1) AS n FROM silver.quarantine AS q WHERE q.dataset = 'ord_detl' GROUP BY q.column_name, q.column_value")
    check.equal("ord_detl: the words in their place", {(w["column_name"], w["column_value"]): int(w["n"]) for w in words},
                {("send_time", word): n for word, n in Counter(r["po sent to vendor date"] for r in undated).items()})
    check.equal("shp: quarantined, as their order lines are", counts["shp"]["quarantined"], {"orphan": len(undated)})

    wanted = {r["id"]: (Decimal(r["line item quantity"]), Decimal(r["line item value"]), Decimal(r["pack price"])) for r in rows}
    orders = {r["ord_detl_id"]: (Decimal(r["purc_cnt"]), Decimal(r["purc_amt"]), Decimal(r["purcpric"]))
              for r in query("SELECT o.ord_detl_id, o.purc_cnt, o.purc_amt, o.purcpric FROM silver.ord_detl AS o")}
    kept = [json.loads(r["row_json"]) for r in query("SELECT q.row_json FROM silver.quarantine AS q WHERE q.dataset = 'ord_detl'")]
    back = {r["ord_detl_id"]: (Decimal(r["purc_cnt"]), Decimal(r["purc_amt"]), Decimal(r["purcpric"])) for r in kept}
    check.equal("ord_detl: ids in silver and in quarantine at once", len(orders.keys() & back.keys()), 0)
    both = {**orders, **back}
    check.equal("ord_detl: sum of quantity over accepted + quarantined", sum(v[0] for v in both.values()), QUANTITY)
    check.equal("ord_detl: sum of line value over accepted + quarantined", sum(v[1] for v in both.values()), VALUE)
    check.equal("ord_detl: every line's quantity, value and price", both == wanted, True)
    check.equal("ord_detl: lines of price zero", sum(1 for v in both.values() if v[2] == 0), sum(1 for v in wanted.values() if v[2] == 0))

    shipments = query("SELECT s.ord_detl_id, s.shp_cnt, CAST(s.arvl_time AS VARCHAR) AS arvl_time, CAST(s.shpp_time AS VARCHAR) AS shpp_time FROM silver.shp AS s")
    shipments += [json.loads(r["row_json"]) for r in query("SELECT q.row_json FROM silver.quarantine AS q WHERE q.dataset = 'shp'")]
    by_id = {s["ord_detl_id"]: s for s in shipments}
    check.equal("shp: order lines with a shipment", (len(shipments), by_id.keys() == wanted.keys()), (ROWS, True))
    check.equal("shp: sum of quantity over accepted + quarantined", sum(Decimal(s["shp_cnt"]) for s in shipments), QUANTITY)
    check.equal("shp: every receipt's dates", all(
        (by_id[r["id"]]["arvl_time"][:10], by_id[r["id"]]["shpp_time"][:10]) == (day(r["delivered to client date"]), day(r["delivery recorded date"]))
        for r in rows), True)
    check.equal("shp: recorded after delivery", sum(s["shpp_time"][:10] > s["arvl_time"][:10] for s in shipments), RECORDED_LATE)
    extra = {r["ord_detl_id"]: json.loads(r["_extra"]) for r in query("SELECT b.ord_detl_id, b._extra FROM bronze.ord_detl AS b")}
    check.equal("delivered after the scheduled date (kept beside the order line)",
                sum(by_id[i]["arvl_time"][:10] > day(e["scheduled delivery date"]) for i, e in extra.items()), LATE)
    unmapped = ["weight (kilograms)", "freight cost (usd)", "shipment mode", "brand"]
    check.equal("unmapped columns as they were", all(extra[r["id"]].get(c, "") == r[c] for r in rows for c in unmapped), True)

    places = query("SELECT i.org_code, a.admdvs_name FROM silver.institution AS i INNER JOIN silver.admdvs AS a ON a.admdvs = i.admdvs")
    there = {p["org_code"]: p["admdvs_name"] for p in places}
    check.equal("institutions, each in its country", (len(there), there == {r["project code"]: r["country"] for r in rows}), (142, True))
    makers = {("V " + r["vendor"]) for r in rows} | {("M " + r["manufacturing site"]) for r in rows}
    held = {e["org_code"] for e in query("SELECT e.org_code FROM silver.enterprise AS e")}
    check.equal("vendors and makers", (len(held), held == makers), (len(makers), True))
    check.equal("a second run writes", json.loads(run("nightly", "--json"))["changed"], False)
    print("all equal" if check.bad == 0 else f"{check.bad} differ")
    return 1 if check.bad else 0


if __name__ == "__main__":
    sys.exit(main())
