"""Prints what a bench against a peer has measured, and adds it to the day's record of a machine."""
import datetime
from pathlib import Path

RECORD = Path(__file__).resolve().parent.parent / "record"


def record(machine, bench, rows):
    """`rows`: (measure, value) each. Without a machine they are printed only."""
    for name, value in rows:
        print(f"{name:<32} {value:>14}")
    if not machine:
        return
    path = RECORD / machine / f"{datetime.datetime.now(datetime.timezone.utc).date()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with open(path, "a", encoding="utf-8") as out:
        if new:
            out.write("bench,measure,value\n")
        out.writelines(f"{bench},{name},{value}\n" for name, value in rows)
    print("recorded in", path)
