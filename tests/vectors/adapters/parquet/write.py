"""Writes the Parquet fixtures with pyarrow: `python write.py` in this folder (pip install pyarrow)."""

import csv
import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq

with open("../csv/people.csv", encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def column(name):
    return [row[name] or None for row in ROWS]


def people():
    """The people of ../csv: text of every kind, dates, integers, nulls, two row groups."""
    columns = {name: pa.array(column(name), pa.string()) for name in ROWS[0]}
    columns["sei"] = pa.array(column("sei"), pa.large_string())
    columns["address"] = pa.array(column("address"), pa.string()).dictionary_encode()
    dates = [datetime.date(int(text[:4]), int(text[5:7]), int(text[8:])) if text else None
             for text in column("dob")]
    columns["dob"] = pa.array(dates, pa.date32())
    columns["sex"] = pa.array([None if text is None else int(text) for text in column("sex")], pa.int8())
    columns["diagnoses"] = pa.array([["x", "y"]] * len(ROWS), pa.list_(pa.string()))
    table = pa.table(columns)
    pq.write_table(table, "people.parquet", row_group_size=2, compression="zstd")


def types():
    """One fact in every type that holds it, and types that no fact can be read from."""
    born = datetime.datetime(1949, 5, 22)
    utc = datetime.timezone.utc
    columns = {
        "id": pa.array([1, 2], pa.uint16()),
        "text": pa.array(["1949-05-22", None]),
        "whole": pa.array([19490522, None], pa.int64()),
        "date": pa.array([born.date(), None], pa.date32()),
        "date64": pa.array([born.date(), None], pa.date64()),
        "seconds": pa.array([born, None], pa.timestamp("s")),
        "millis": pa.array([born, None], pa.timestamp("ms")),
        "micros": pa.array([born, None], pa.timestamp("us")),
        "nanos": pa.array([born + datetime.timedelta(hours=13, seconds=7), None], pa.timestamp("ns")),
        "double": pa.array([19490522.0, float("nan")], pa.float64()),
        "decimal": pa.array([decimal.Decimal("19490522"), None], pa.decimal128(12, 0)),
        "bytes": pa.array(["昭和24年5月22日".encode(), None], pa.binary()),
        "sjis": pa.array(["昭和24年5月22日".encode("cp932"), None], pa.binary()),
        "instant": pa.array([born.replace(tzinfo=utc), None], pa.timestamp("ms", "Asia/Tokyo")),
        "time": pa.array([datetime.time(1), None], pa.time64("us")),
        "list": pa.array([["1949-05-22"], None], pa.list_(pa.string())),
        "structure": pa.array([{"year": 1949}, None]),
        "nothing": pa.nulls(2),
    }
    table = pa.table(columns)
    pq.write_table(table, "types.parquet", compression="snappy")
    pq.write_table(table.select(["id", "seconds"]), "int96.parquet", use_deprecated_int96_timestamps=True)
    pq.write_table(table.select(["id", "text"]), "brotli.parquet", compression="brotli")


people()
types()
