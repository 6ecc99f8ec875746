#!/usr/bin/env python3
"""Formulas at their boundaries: single fields of a share of the world's rows are changed (zero prices, null and border times, another product type,
another shipment, other roles …), and nine indicators are compared row by row with a plain computation written apart from the SQL (plain.py).

    YAOJIA=target/debug/yaojia python3 tests/soak/formulas.py [--worlds 20] [--first 1] [--share 0.06] [--size tiny] [--keep DIR]

Exit code 0 only if every row, its numbers and its state are equal in every world.
"""
import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import plain
from project import AS_OF, Project, binary, make_world, serve

IDS = ["D01", "C01", "D02", "D05", "C05", "D09", "C07", "D17", "C14"]
REGION, FIRST = "652800", "2024-01"
# What the plain computation reads of silver.
SILVER = {
    "institution": "org_code org_type admdvs", "drug_listing": "pubonln_rslt_id prod_code genname dosform prod_spec convrat drug_type conseval_flag shortage_flag injection_flag pubonln_pric pubonln_stas pric_eff_time",
    "mcs_listing": "pubonln_rslt_id prod_code convrat hval_flag sep_chrg_flag pubonln_pric pubonln_stas pric_eff_time",
    "ord_detl": "ord_detl_id prod_type pubonln_rslt_id prod_code medins_code purc_type send_time", "shp": "shp_id ord_detl_id shp_pric shpp_cnt shpp_time shp_stas",
    "retn": "retn_id shp_id retn_cnt retn_amt medins_retn_time retn_chk_stas", "pay_detl": "shp_id pay_amt pay_time pay_mode",
    "vbp_batch": "btch_code prod_type agrt_begn_date agrt_end_date", "vbp_prod": "btch_code grp_code prod_code prod_role award_pric award_convrat",
    "vbp_agrm": "btch_code grp_code medins_code prod_code agrm_cnt", "ref_pric": "prod_code prov_admdvs ref_pric ref_convrat eff_date actv_zone_flag",
    "workday": "cal_date is_workday", "fee_list": "fixmedins_code list_type med_list_codg fee_ocur_time det_item_fee_sumamt",
}
# Instants and days around which the text cuts: months, T (2024-04-16 02:00), 30 and 60 days from receipts.
TIMES = ["2024-01-31 23:59:59", "2024-02-01 00:00:00", "2024-02-29 23:59:59", "2024-03-01 00:00:00", "2024-03-31 23:59:59", "2024-04-01 00:00:00", "2024-04-16 01:59:59", "2024-04-16 02:00:00", "2024-02-15 12:00:00", "2023-12-31 23:59:59"]
DAYS = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-29", "2024-03-01", "2024-03-31", "2024-04-15", "2024-04-16", "2024-04-20", "2024-12-31"]
# Dataset → field → texts of JSON that it may become; a callable takes the rows of the world. None takes the field away.
TEXT = lambda texts: [json.dumps(text) for text in texts]
OTHER = lambda dataset, field: lambda rows: [value for row in rows[dataset] if (value := get(row, field)) is not None]
CHANGES = {
    "institution": {"orgType": TEXT("12"), "admdvs": OTHER("institution", "admdvs")},
    "drug_listing": {"pubonlnPric": ["0", "0.0000004", "99"], "pubonlnStas": TEXT("01"), "pricEffTime": TEXT(TIMES), "injectionFlag": TEXT("01"), "drugType": TEXT("123"), "consevalFlag": [None, '"1"', '"0"'], "shortageFlag": TEXT("01"), "convrat": ["7", "0.3"]},
    "mcs_listing": {"pubonlnPric": ["0", "99"], "pubonlnStas": TEXT("01"), "pricEffTime": TEXT(TIMES), "sepChrgFlag": [None, '"0"', '"1"'], "hvalFlag": [None, '"0"', '"1"']},
    "ord_detl": {"prodType": TEXT("12"), "purcType": TEXT("123"), "medinsCode": OTHER("institution", "orgCode"), "sendTime": TEXT(TIMES), "prodCode": OTHER("ord_detl", "prodCode")},
    "shp": {"shpPric": ["0", "0.005", "123.455"], "shppTime": [None, *TEXT(TIMES)], "shppCnt": [None, "0", "0.5"], "shpStas": TEXT("234"), "ordDetlId": OTHER("ord_detl", "ordDetlId")},
    "retn": {"shpId": OTHER("shp", "shpId"), "ordDetlId": OTHER("ord_detl", "ordDetlId"), "retnCnt": ["0", "9999"], "retnAmt": ["0", "99999.99"], "medinsRetnTime": TEXT(TIMES), "retnChkStas": TEXT("123")},
    "pay_detl": {"shpId": OTHER("shp", "shpId"), "payAmt": ["0", "0.01", "99999.99"], "payTime": TEXT(TIMES), "payMode": TEXT("12")},
    "vbp_batch": {"prodType": TEXT("12"), "agrtBegnDate": TEXT(DAYS), "agrtEndDate": TEXT(DAYS)},
    "vbp_prod": {"prodRole": TEXT("1234"), "awardPric": ["0", "0.01"], "prodCode": OTHER("vbp_prod", "prodCode"), "grpCode": OTHER("vbp_prod", "grpCode")},
    "vbp_agrm": {"agrmCnt": ["0", "0.5"], "prodCode": OTHER("vbp_prod", "prodCode"), "medinsCode": OTHER("institution", "orgCode"), "grpCode": OTHER("vbp_agrm", "grpCode")},
    "ref_pric": {"refPric": ["0", "0.01"], "effDate": TEXT(DAYS), "actvZoneFlag": TEXT("01"), "refConvrat": ["3"], "provAdmdvs": TEXT(["650000", "650100", "610000", "610100"])},
}
# Few rows, much depends on each.
OFTEN = {"retn": 5, "vbp_batch": 4, "vbp_prod": 3, "vbp_agrm": 3, "drug_listing": 2, "mcs_listing": 2}


def field(name):
    return re.compile(rf'"{name}":("(?:[^"\\]|\\.)*"|[^,}}]*)')


def get(row, name):
    """The text of a field of a JSON row."""
    found = field(name).search(row)
    return found and found.group(1)


def put(row, name, value):
    """The row with another text in a field, without it, or with one more."""
    if value is None:
        return re.sub(rf',{field(name).pattern}', "", row, count=1)
    if get(row, name) is not None:
        return field(name).sub(lambda _: f'"{name}":{value}', row, count=1)
    return row.rstrip()[:-1] + f',"{name}":{value}}}'


def change(world, share, dice):
    """Changes single fields in place; how many rows of which field."""
    told = Counter()
    rows = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted((world / "platform").glob("*.jsonl"))}
    before = {name: list(of) for name, of in rows.items()}
    for dataset, fields in CHANGES.items():
        for at, row in enumerate(rows[dataset]):
            if dice.random() < share * OFTEN.get(dataset, 1):
                name = dice.choice(list(fields))
                values = fields[name](before) if callable(fields[name]) else fields[name]
                rows[dataset][at] = put(row, name, dice.choice(values))
                told[f"{dataset}.{name}"] += 1
        (world / "platform" / f"{dataset}.jsonl").write_text("\n".join(rows[dataset]) + "\n", encoding="utf-8")
    return told


def query(project, columns, table, where="TRUE"):
    """All rows of a table as dicts of texts and nulls."""
    sql = f"SELECT {', '.join(f'CAST(t.{c} AS VARCHAR) AS {c}' for c in columns)} FROM {table} AS t WHERE {where}"
    return json.loads(project.run("--json", "query", sql))["rows"]


def published(project):
    """Key → (numerator, denominator, value, state) of the indicators compared."""
    key = ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"]
    ids = ", ".join(f"'{i}'" for i in IDS)
    found = {}
    for row in query(project, [*key, "numerator", "denominator", "value", "state"], "gold.indicator_value", f"t.indicator_id IN ({ids})"):
        numbers = [None if row[c] is None else Fraction(Decimal(row[c])) for c in ("numerator", "denominator", "value")]
        found[tuple(row[c] for c in key)] = (*numbers, row["state"])
    return found


def differs(want, got):
    """Whether a published row is not what it must be. An exempt row would be warn or verify; a value is stored as a double."""
    if want is None or got is None:
        return True
    states = ("warn", "verify") if got[3] == "exempt" else (got[3],)
    if want[3] not in states or (want[2] is None) != (got[2] is None):
        return True
    return want[2] is not None and (want[:2] != got[:2] or float(want[2]) != float(got[2]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--worlds", type=int, default=20)
    p.add_argument("--first", type=int, default=1, help="the first seed")
    p.add_argument("--share", type=float, default=0.06, help="of the rows of a dataset")
    p.add_argument("--size", default="tiny")
    p.add_argument("--sql", type=Path, help="a folder laid out as sql/ that lies over the built-in one: an older formula must be found")
    p.add_argument("--keep", type=Path, help="keep the folders here")
    a = p.parse_args()
    yaojia, bad = binary(), []
    root = (a.keep or Path(tempfile.mkdtemp(prefix="yaojia-formulas-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    for seed in range(a.first, a.first + a.worlds):
        began, world = time.monotonic(), root / f"world-{seed}"
        make_world(yaojia, world, a.size, seed)
        told = change(world, a.share, random.Random(seed))
        platform, url = serve(yaojia, world, root / f"simulate-{seed}.log")
        try:
            project = Project(yaojia, root / f"project-{seed}", world, url, AS_OF)
            if a.sql:
                config = project.folder / "yaojia.toml"
                text = config.read_text(encoding="utf-8")
                config.write_text(re.sub(r"(?m)(^\[sql\]\n(?:.*\n)*?)#? ?paths = .*$", lambda m: f'{m.group(1)}paths = ["{a.sql.resolve()}"]', text, count=1), encoding="utf-8")
            project.run("nightly")
        finally:
            platform.kill()
            platform.wait()
        silver = {name: query(project, columns.split(), f"silver.{name}") for name, columns in SILVER.items()}
        want = plain.rows(plain.World(silver, REGION, FIRST, plain.instant(AS_OF)))
        got = published(project)
        wrong = sorted(k for k in want.keys() | got.keys() if differs(want.get(k), got.get(k)))
        by = Counter(f"{k[0]}.{k[1]}" for k in wrong)
        print(f"seed {seed}: {sum(told.values())} fields changed, {len(want)} rows, {len(wrong)} differ {dict(by) or ''} ({time.monotonic() - began:.1f} s)", flush=True)
        shown = Counter()
        for k in wrong:
            shown[k[:2]] += 1
            if shown[k[:2]] <= 3:
                number = lambda row: row and [*(None if x is None else float(x) for x in row[:3]), row[3]]
                print(f"    {' '.join(part or '-' for part in k)}\n        must be {number(want.get(k))}\n        is      {number(got.get(k))}")
        bad += [seed] if wrong else []
        if not a.keep:
            shutil.rmtree(root / f"project-{seed}")
            shutil.rmtree(world)
    if not a.keep:
        shutil.rmtree(root)
    print(f"{a.worlds} worlds, {len(bad)} with differences {bad or ''}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
