#!/usr/bin/env python3
"""Reads every gold table with deltalake and with duckdb: rows, and the sum of every decimal column.

    python3 interop.py WAREHOUSE      ->  {"duckdb_reads": "delta" | "parquet", "tables": {table: {engine: {"rows": n, "sums": {column: text | null}}}}}

DuckDB reads through its delta extension where it is installed (pip: duckdb-extensions, duckdb-extension-delta); else the active
Parquet files that the Delta log names. Exit code 3: a package is missing.
"""
import decimal
import json
import sys
from pathlib import Path

try:
    import deltalake
    import duckdb
    import pyarrow as pa
except ImportError as error:
    print(f"a Python package is missing: {error}; pip install 'duckdb==1.5.5' deltalake pyarrow pytz", file=sys.stderr)
    sys.exit(3)

decimal.getcontext().prec = 60


def text(value):
    """A decimal without its trailing zeros: the engines' sums have different scales."""
    if value is None:
        return None
    plain = format(value, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("", "-0") else plain


def by_deltalake(table):
    arrow = table.to_pyarrow_table()
    sums = {}
    for field in arrow.schema:
        if pa.types.is_decimal(field.type):
            values = [v for v in arrow.column(field.name).to_pylist() if v is not None]
            sums[field.name] = text(sum(values, decimal.Decimal(0))) if values else None
    return {"rows": arrow.num_rows, "sums": sums}


def by_duckdb(connection, source, columns):
    aggregates = "".join(f', SUM("{name}")' for name in columns)
    row = connection.execute(f"SELECT COUNT(*){aggregates} FROM {source}").fetchone()
    return {"rows": row[0], "sums": {name: text(value) for name, value in zip(columns, row[1:])}}


def delta_extension(connection):
    try:
        from duckdb_extensions import import_extension

        import_extension("delta")
        connection.execute("LOAD delta")
        return True
    except Exception as error:  # the extension is optional
        print(f"duckdb reads the Parquet files named by the log, not through its delta extension: {error}", file=sys.stderr)
        return False


def main():
    gold = Path(sys.argv[1]).resolve() / "gold"
    connection = duckdb.connect()
    delta = delta_extension(connection)
    tables = {}
    for folder in sorted(path for path in gold.iterdir() if (path / "_delta_log").is_dir()):
        table = deltalake.DeltaTable(str(folder))
        first = by_deltalake(table)
        files = [uri.removeprefix("file://") for uri in table.file_uris()]
        if delta:
            source = "delta_scan('" + str(folder) + "')"
        elif files:
            source = "read_parquet([" + ", ".join(f"'{file}'" for file in files) + "], hive_partitioning = true, union_by_name = true)"
        else:
            source = None
        empty = {"rows": 0, "sums": dict.fromkeys(first["sums"])}
        tables[folder.name] = {"deltalake": first, "duckdb": by_duckdb(connection, source, list(first["sums"])) if source else empty, "files": len(files)}
    json.dump({"duckdb_reads": "delta" if delta else "parquet", "deltalake": deltalake.__version__, "duckdb": duckdb.__version__, "tables": tables}, sys.stdout)


if __name__ == "__main__":
    main()
