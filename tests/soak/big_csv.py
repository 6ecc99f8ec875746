#!/usr/bin/env python3
"""A file larger than memory should be: makes one, loads it with the real binary, and measures the greatest resident set of the process.

    YAOJIA=target/debug/yaojia python3 tests/soak/big_csv.py [--gb 2] [--shape csv|tab|gz|gb18030|parquet|xlsx] [--dataset fee_list|list_map]
                                                             [--verb load|nightly] [--limit-mib 512] [--dir DIR]

fee_list has personal columns (archived encrypted), list_map has none. Exits 1 when the run needs more memory than the limit, loses a
row, or does not read back what it archived. Needs about four times the file's size on the disk; all of it is removed afterwards.
"""
import argparse
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))
from run import project, start  # noqa: E402

AS_OF = "2024-04-16T02:00:00"
FEE = ("BKKP_SN,INIT_FEEDETL_SN,SETL_ID,FEE_OCUR_TIME,FIXMEDINS_CODE,PSN_NO,PSN_NAME,INSU_ADMDVS,MED_TYPE,LIST_TYPE,MED_LIST_CODG,MEDINS_LIST_CODG,"
       "HILIST_NAME,CNT,PRIC,DET_ITEM_FEE_SUMAMT,HI_FEESETL_TYPE,INSCP_AMT,FULAMT_OWNPAY_AMT,CHRGITM_LV,VALI_FLAG,UPDT_TIME").split(",")
MAP = "FIXMEDINS_CODE,MEDINS_LIST_CODG,MED_LIST_CODG,CONVRAT,UPDT_TIME,RMK".split(",")
POOL = 40_000


def institutions(world):
    """Codes of the world's institutions."""
    path = next((world / "platform").glob("institution*"))
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    codes = {str(row.get("orgCode") or "") for row in rows}
    return sorted(code for code in codes if len(code) == 12 and code.isascii())


def tails(dataset, codes, dice):
    """Random rows without their key's running number, as lists of cells."""
    for _ in range(POOL):
        day, code, item = dice.randint(1, 31), dice.choice(codes), dice.randint(1, 3000)
        at = f"2024-03-{day:02} {dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
        if dataset == "list_map":
            yield [code, None, f"XA{item:018}BCD", f"{dice.randint(1, 48)}.000000", at, f"备注{item}"]
            continue
        count, price = dice.randint(1, 9), dice.randint(100, 99_999)
        amount = f"{count * price // 100}.{count * price % 100:02}"
        yield [None, "", f"SETL{dice.randint(10**14, 10**15)}", at, code, f"P{dice.randint(10**17, 10**18)}", f"测试{item}", "652801",
               dice.choice(["11", "21"]), "101", f"XA{item:018}BCD", f"L{item:06}", f"药品名称{item}片剂（薄膜衣）", str(count),
               f"{price // 100}.{price % 100:02}", amount, "1", amount, "0.00", "1", "1", at]


def key(dataset, number):
    return f"L{number:012}" if dataset == "list_map" else f"65280120240{number:010}"


def write_text(path, a, header, pool, dice):
    """Delimited text up to the size asked for (as UTF-8 or GB18030, before any compression); gives the rows."""
    separator = "\t" if a.shape == "tab" else ","
    encoding = "gb18030" if a.shape == "gb18030" else "utf-8"
    at = header.index("MEDINS_LIST_CODG" if a.dataset == "list_map" else "BKKP_SN")
    halves = [((separator.join(r[:at]) + separator if at else "").encode(encoding), (separator + separator.join(r[at + 1:]) + "\n").encode(encoding)) for r in pool]
    target, written, rows = int(a.gb * 1e9), 0, 0
    opened = gzip.open(path, "wb", compresslevel=1) if a.shape == "gz" else path.open("wb")
    with opened as out:
        out.write((separator.join(header) + "\n").encode(encoding))
        while written < target:
            start_at = dice.randrange(len(halves))
            block = b"".join(b"%s%s%s" % (head, key(a.dataset, rows + n).encode(), tail) for n, (head, tail) in
                             enumerate(halves[start_at:start_at + 20_000]))
            rows += len(halves[start_at:start_at + 20_000])
            out.write(block)
            written += len(block)
    return rows


def write_parquet(path, a, header, pool, dice):
    """Parquet with row groups of 100,000 rows; the size is that of the same rows as text."""
    import pyarrow
    import pyarrow.parquet
    at = header.index("MEDINS_LIST_CODG" if a.dataset == "list_map" else "BKKP_SN")
    target, written, rows, writer = int(a.gb * 1e9), 0, 0, None
    size = sum(len(",".join(c or "" for c in r).encode()) for r in pool[:1000]) / 1000 + 22
    while written < target:
        part = [pool[(rows + n * 7) % len(pool)] for n in range(100_000)]
        columns = {name: [(key(a.dataset, rows + n) if i == at else r[i]) for n, r in enumerate(part)] for i, name in enumerate(header)}
        table = pyarrow.table(columns)
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        rows += len(part)
        written += size * len(part)
    writer.close()
    return rows


def write_xlsx(path, a, header, pool, _dice):
    """A workbook of inline strings, written by hand (one sheet holds 1,048,576 rows at most)."""
    import zipfile
    from xml.sax.saxutils import escape
    at = header.index("MEDINS_LIST_CODG" if a.dataset == "list_map" else "BKKP_SN")
    rows, written, target = 0, 0, int(a.gb * 1e9)
    def cells(values):
        return "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(v or "")}</t></is></c>' for v in values) + "</row>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
        z.writestr("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        z.writestr("xl/workbook.xml", '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        with z.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as out:
            out.write(('<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + cells(header)).encode())
            ready = [(cells(r[:at])[:-6], cells(r[at + 1:])[5:]) for r in pool]
            while written < target and rows < 1_000_000:
                head, tail = ready[(rows * 7) % len(ready)]
                line = f'{head}<c t="inlineStr"><is><t>{key(a.dataset, rows)}</t></is></c>{tail}'.encode()
                out.write(line)
                written += len(line)
                rows += 1
            out.write(b"</sheetData></worksheet>")
    return rows


def peak(command, log):
    """Runs a command; gives its exit code, seconds and the greatest resident set in MiB."""
    began = time.monotonic()
    with log.open("w") as err, log.with_suffix(".json").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, usage.ru_maxrss / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gb", type=float, default=2.0, help="size of the text in GB (of a workbook: of its sheet's XML)")
    p.add_argument("--shape", choices=["csv", "tab", "gz", "gb18030", "parquet", "xlsx"], default="csv")
    p.add_argument("--dataset", choices=["fee_list", "list_map"], default="fee_list")
    p.add_argument("--verb", choices=["load", "nightly"], default="load")
    p.add_argument("--limit-mib", type=float, default=512.0)
    p.add_argument("--dir", type=Path, help="a folder with room; a temporary one is made below it")
    a = p.parse_args()
    yaojia = str(Path(os.environ.setdefault("YAOJIA", "target/debug/yaojia")).resolve())
    folder = Path(tempfile.mkdtemp(prefix="yaojia-big-", dir=a.dir)).resolve()
    process, bad = None, []
    try:
        world = folder / "world"
        subprocess.run([yaojia, "simulate", "--size", "tiny", "--seed", "7", "--write", world, "--no-serve"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        codes = institutions(world)
        shutil.rmtree(world / "exports")
        dice = random.Random(1)
        header = FEE if a.dataset == "fee_list" else MAP
        ending = {"gb18030": "csv", "tab": "txt", "gz": "csv.gz"}.get(a.shape, a.shape)
        path = world / "exports" / a.dataset / "652801" / "202403" / f"big.{ending}"
        path.parent.mkdir(parents=True)
        write = {"parquet": write_parquet, "xlsx": write_xlsx}.get(a.shape, write_text)
        began = time.monotonic()
        rows = write(path, a, header, list(tails(a.dataset, codes, dice)), dice)
        print(f"{a.dataset} {a.shape}: {path.stat().st_size / 1e9:.2f} GB, {rows:,} rows, made in {time.monotonic() - began:.0f} s", flush=True)
        process, url = start(yaojia, world)
        project(folder / "project", url, world)
        log = folder / "run.log"
        temporary = folder / "tmp"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        command = [yaojia, "--project", str(folder / "project"), "--as-of", AS_OF, "--no-progress", "-v", "--json", a.verb]
        code, seconds, mib = peak(command, log)
        print(f"{a.verb}: exit {code}, {seconds:.0f} s, peak {mib:.0f} MiB", flush=True)
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.split(":")[0] in ("load", "silver", "gold", "indicators", "publish"):
                print("  " + line)
        if code != 0:
            bad.append(f"it exits {code}: {log.read_text(encoding='utf-8')[-2000:]}")
        else:
            loaded = json.loads(log.with_suffix(".json").read_text(encoding="utf-8"))["load"]["datasets"][a.dataset]["appended"]
            if loaded != rows:
                bad.append(f"{loaded:,} of {rows:,} rows were loaded")
        if mib > a.limit_mib:
            bad.append(f"peak memory is over {a.limit_mib:.0f} MiB")
        left = [str(f) for f in temporary.rglob("*") if f.is_file()]
        if left:
            bad.append(f"temporary files are left: {left}")
        bronze = list((folder / "project/warehouse/bronze" / a.dataset).rglob("*.parquet"))
        kept = [f for f in (folder / "project/warehouse/archive").rglob("*") if f.is_file() and f.stat().st_size > 1 << 20]
        print(f"bronze: {len(bronze)} files, {sum(f.stat().st_size for f in bronze) / 1e6:.0f} MB; archived: {', '.join(f'{f.suffixes} {f.stat().st_size / 1e6:.0f} MB' for f in kept)}")
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)
    for line in bad:
        print(f"FAILED: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
