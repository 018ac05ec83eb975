#!/usr/bin/env python3
"""Attacks the encodings of a profile with a black-box harness and prints a table.

The harness is a folder with make_data.py, encode_ref.py and attack_*.py (ATTACK_DIR). It sees only the CSV that
`musubi-encode encode --format csv` writes, under keys of its own. Each cell: n people, all of them in the list of names.
A run counts only if its control, a plain CLK at 20 % overlap, is broken at 99 % or more.

  ATTACK_DIR=.../attack PY=.../python tools/attack.py --profile jp-standard --per-block 12.5 50 --seeds 1 2 3 4 5
"""
import argparse, csv, json, os, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HARNESS = Path(os.environ.get("ATTACK_DIR", ROOT / "attack"))
PYTHON = os.environ.get("PY", sys.executable)
ENV = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
MAP = ROOT / "tools/maps/attack/map.toml"
KEYS = ("victim", "attacker", "attacker2")
TOKEN_HEX = 40  # columns up to 160 bits are tags


def call(*command):
    done = subprocess.run([str(part) for part in command], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def harness(script, *arguments):
    """The last line that a script of the harness prints, as JSON."""
    return json.loads(call(PYTHON, HARNESS / script, *arguments).strip().splitlines()[-1])


def make_data(folder, n, seed, kind, span_days=0, overlap=1.0):
    call(PYTHON, HARNESS / "make_data.py", "--out", folder, "--n", n, "--seed", seed, "--kind", kind,
         "--span-days", span_days, "--overlap", overlap)


def make_keys(binary, folder):
    for name in KEYS:
        call(binary, "key", "new", "--out", folder / f"{name}.linkage.key")
        call(binary, "key", "new", "--out", folder / f"{name}.source.key", "--kind", "source")


def encode(binary, profile, keys, name, people, out):
    call(binary, "encode", "--format", "csv", "--map", MAP, "--source", name, "--profile", profile,
         "--key", keys / f"{name}.linkage.key", "--source-key", keys / f"{name}.source.key", people, "-o", out)
    with open(out, newline="") as file:
        return list(csv.reader(file))


def keep(tables, paths, wanted):
    """Writes the tables again with the columns that tell anything to the victim's reader."""
    victim = tables[0]
    columns = [at for at in range(1, len(victim[0]))
               if len({row[at] for row in victim[1:]}) > 1 and wanted(max(len(row[at]) for row in victim[1:]))]
    for table, path in zip(tables, paths):
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([[row[at] for at in [0] + columns] for row in table])
    return len(columns)


def attack(cell, names, label):
    """All attacks on one cell: the share of people re-identified by each."""
    v, a, a2 = (cell / f"{name}.csv" for name in KEYS)
    people, truth = cell / "attacker.people.csv", cell / "truth.csv"
    graph = ["--enc", v, "--plain", people, "--aux", a, "--aux2", a2, "--truth", truth, "--label", label]
    found = {}
    if "gma" in names:
        found["gma"] = harness("attack_gma.py", *graph)["best_start_oracle"]
    if "sparse" in names:
        found["sparse"] = harness("attack_gma.py", *graph, "--sparse")["best_start_oracle"]
    plain = ["--enc", v, "--plain", people, "--truth", truth, "--label", label]
    if "kpa" in names:
        found["kpa"] = harness("attack_kpa.py", *plain, "--known", 500)["reid"]
    if "freq" in names:
        found["freq"] = harness("attack_freq.py", *plain)["reid"]
    if "wl" in names and (cell / "victim.tags.csv").exists():
        wl = harness("attack_wl.py", "--enc", cell / "victim.tags.csv", "--aux", cell / "attacker.tags.csv",
                     "--truth", truth)
        found["wl"], found["degree"] = wl["reid"], wl.get("degree")
    return found


def run_cell(options, folder, per_block, seed):
    cell = folder / f"{per_block}-{seed}"
    span = max(1, round(options.n / (2 * per_block)))
    make_data(cell, options.n, seed, options.kind, span)
    make_keys(options.binary, cell)
    (cell / "attacker.csv").rename(cell / "attacker.people.csv")
    (cell / "victim.csv").rename(cell / "victim.people.csv")
    tables = [encode(options.binary, options.profile, cell, name,
                     cell / ("victim.people.csv" if name == "victim" else "attacker.people.csv"),
                     cell / f"{name}.all.csv") for name in KEYS]
    keep(tables, [cell / f"{name}.csv" for name in KEYS], lambda _: True)
    tags = [cell / f"{name}.tags.csv" for name in KEYS]
    if not keep(tables, tags, lambda length: length <= TOKEN_HEX):
        for path in tags:
            path.unlink()
    return attack(cell, options.attacks, f"{options.profile} {per_block}")


def control(options, folder, seed):
    """Plain CLK, 20 % overlap, 400 victims in a list of 2,000."""
    cell = folder / "control"
    make_data(cell, 2000, seed, "jp", 0, 0.2)
    for number, (name, people) in enumerate(zip(KEYS, ("victim", "attacker", "attacker"))):
        call(PYTHON, HARNESS / "encode_ref.py", "--scheme", "clk", "--key", name, "--in", cell / f"{people}.csv",
             "--out", cell / f"{name}.enc.csv", "--noise-seed", number + 1)
    v, a, a2 = (cell / f"{name}.enc.csv" for name in KEYS)
    return harness("attack_gma.py", "--enc", v, "--plain", cell / "attacker.csv", "--aux", a, "--aux2", a2,
                   "--truth", cell / "truth.csv", "--label", "control")["best_start_oracle"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="jp-standard")
    parser.add_argument("--binary", default=ROOT / "target/release/musubi-encode")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--kind", default="jp", choices=["jp", "jpwide"])
    parser.add_argument("--per-block", type=float, nargs="+", default=[12.5, 50.0], help="people per birth date and sex")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--attacks", nargs="+", default=["gma", "sparse", "wl", "kpa", "freq"])
    parser.add_argument("--no-control", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        broken = None if options.no_control else control(options, folder, options.seeds[0])
        names = options.attacks + (["degree"] if "wl" in options.attacks else [])
        print(f"{options.profile}, {options.kind}, n={options.n}; % re-identified (degree: tags shared)")
        print("per block", "seed", *(f"{name:>8}" for name in names))
        for per_block in options.per_block:
            for seed in options.seeds:
                found = run_cell(options, folder, per_block, seed)
                cells = (found.get(name) for name in names)
                shown = ("       -" if value is None else f"{value if name == 'degree' else 100 * value:8.2f}"
                         for name, value in zip(names, cells))
                print(f"{per_block:9g} {seed:4d}", *shown, flush=True)
        if broken is None:
            print("no control: this run is no evidence")
        else:
            print(f"control, plain CLK at 20 % overlap: {100 * broken:.1f} %" + ("" if broken >= 0.99 else ": VOID"))
            sys.exit(broken < 0.99)


if __name__ == "__main__":
    main()
