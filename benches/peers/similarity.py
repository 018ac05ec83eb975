#!/usr/bin/env python3
"""Runs `musubi similarity` and anonlink over the same filters, and prints the ratio of their CPU time.

Both run in this one process' lifetime, one after the other, on one core each; CPU time is compared,
so that other work on the machine counts little. Both must give the same pairs.

  cargo build --release
  python -m venv peers && peers/bin/pip install -r benches/peers/requirements.txt
  peers/bin/python benches/peers/similarity.py --rows 10000 --repeat 5 [--machine NAME]
"""
import argparse, csv, json, os, resource, statistics, subprocess, sys, tempfile
from pathlib import Path

import numpy as np

from record import record

ROOT = Path(__file__).resolve().parent.parent.parent
BITS, TOKENS, HASHES = 1024, 28, 15


def people(rows, seed):
    """Filters of people and of their copies: bigrams of skewed frequency, 15 bits each; about every
    seventh copy has a misspelling, a few have moved."""
    random = np.random.default_rng(seed)
    vocabulary = 4000
    places = random.integers(0, BITS, (vocabulary, HASHES))
    weights = 1.0 / np.arange(1, vocabulary + 1) ** 0.8
    tokens = random.choice(vocabulary, (rows, TOKENS), p=weights / weights.sum())
    copies = tokens.copy()
    changed = random.random(rows)
    for row in np.flatnonzero(changed < 0.18):
        count = random.integers(1, 4) if changed[row] < 0.15 else 8
        at = random.choice(TOKENS, count, replace=False)
        copies[row, at] = random.choice(vocabulary, count)
    return [filters(side, places) for side in (tokens, copies)]


def filters(tokens, places):
    bits = np.zeros((len(tokens), BITS), dtype=np.uint8)
    for row, some in enumerate(tokens):
        bits[row, places[some].ravel()] = 1
    return np.packbits(bits, axis=1)


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


# Runs a command from a process of its own and prints its CPU time and most memory: Linux counts what this process
# holds as the child's at the moment of its start, so a child of this one seems to be at least as large.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, json.loads(done.stdout)]))
"""


def run_musubi(a, b, threshold, folder, *more):
    out = folder / "pairs.csv"
    command = [ROOT / "target/release/musubi", "similarity", "--a", a, "--b", b, "--bits", BITS, "--format", "raw",
               "--threshold", threshold, "--threads", "1", "--out", out, "--json", *more]
    measured = [sys.executable, "-c", MEASURE, *(str(word) for word in command)]
    done = subprocess.run(measured, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    seconds, rss_mib, summary = json.loads(done.stdout)
    with open(out, newline="") as file:
        pairs = {(int(row["row_a"]), int(row["row_b"])) for row in csv.DictReader(file)}
    return seconds, rss_mib, pairs, summary


def run_anonlink(sides, threshold):
    import anonlink
    from bitarray import bitarray

    def clks(rows):
        made = []
        for row in rows:
            bits = bitarray()
            bits.frombytes(row.tobytes())
            made.append(bits)
        return made

    datasets = [clks(side) for side in sides]
    before = cpu(resource.RUSAGE_SELF)
    _, _, (of_a, of_b) = anonlink.candidate_generation.find_candidate_pairs(
        datasets, anonlink.similarities.dice_coefficient, threshold)
    return cpu(resource.RUSAGE_SELF) - before, set(zip(of_a.tolist(), of_b.tolist())) if hasattr(of_a, "tolist") \
        else set(zip(of_a, of_b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--approximate", type=float, help="run musubi alone, with this promised recall, two threads' worth")
    parser.add_argument("--machine", help="append to benches/record/MACHINE/DATE.csv")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = people(given.rows, given.seed)
        for side, file in zip(sides, "ab"):
            side.tofile(folder / f"{file}.bin")
        a, b = folder / "a.bin", folder / "b.bin"
        row = {"rows": given.rows, "threshold": given.threshold}
        if given.approximate:
            seconds, rss_mib, pairs, summary = run_musubi(a, b, given.threshold, folder, "--approximate", given.approximate)
            row |= {"musubi_cpu_s": round(seconds, 2), "pairs": len(pairs),
                    "rss_mib": rss_mib,
                    "sample_recall": round(summary["approximate"]["sample_recall"], 5),
                    "sample_pairs": summary["approximate"]["sample_pairs"],
                    "tables": summary["approximate"]["tables"], "key_bits": summary["approximate"]["key_bits"]}
        else:
            ours, theirs = [], []
            for _ in range(given.repeat):
                seconds, _, pairs, summary = run_musubi(a, b, given.threshold, folder)
                ours.append(seconds)
                seconds, expected = run_anonlink(sides, given.threshold)
                theirs.append(seconds)
                if pairs != expected:
                    sys.exit(f"not the same pairs: {len(pairs - expected)} only here, {len(expected - pairs)} only there")
            row |= {"pairs": len(pairs), "musubi_cpu_s": round(statistics.median(ours), 3),
                    "anonlink_cpu_s": round(statistics.median(theirs), 3), "kernel": summary["kernel"],
                    "ratio": round(statistics.median(theirs) / statistics.median(ours), 1)}
        row["load_before"] = os.getloadavg()[0]
    record(given.machine, "peer-similarity", list(row.items()))


if __name__ == "__main__":
    main()
