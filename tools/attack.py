#!/usr/bin/env python3
"""Attacks the encodings of a profile with a black-box harness and prints a table.

The harness is a folder with make_data.py, encode_ref.py and attack_*.py (ATTACK_DIR). It sees only the CSV that
`musubi-encode encode --format csv` writes, under keys of its own. Each cell: n people, all of them in the list of names.
A run counts only if its control, a plain CLK at 20 % overlap, is broken at 99 % or more.

  ATTACK_DIR=.../attack PY=.../python tools/attack.py --profile jp-standard --per-block 12.5 50 --seeds 1 2 3 4 5

`--kind jp` and `jpwide` are the harness's people: kana, birth date, sex, postcode. `region` and `nation` are those of
tools/attack_people.py, with written names, municipality and insurance, so that every tag is attacked.
"""
import argparse, csv, json, os, subprocess, sys, tempfile, tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HARNESS = Path(os.environ.get("ATTACK_DIR", ROOT / "attack"))
PYTHON = os.environ.get("PY", sys.executable)
ENV = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
MAPS = ROOT / "tools/maps/attack"
EXTENDED = ("region", "nation")
KEYS = ("victim", "attacker", "attacker2")
TOKEN_HEX = 40  # columns up to 160 bits are tags
# The graph attack takes the root of a variance, which rounding makes negative where few people share a tag.
GUARDED = """import os, runpy, sys, numpy as np
root, sys.argv = np.sqrt, sys.argv[1:]
np.sqrt = lambda x: root(np.maximum(x, 0))
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")"""


def call(*command):
    done = subprocess.run([str(part) for part in command], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def harness(script, *arguments):
    """The last line that a script of the harness prints, as JSON."""
    return json.loads(call(PYTHON, "-c", GUARDED, HARNESS / script, *arguments).strip().splitlines()[-1])


def make_data(folder, n, seed, kind, span_days=0, overlap=1.0, names=None):
    if kind in EXTENDED:
        call(PYTHON, ROOT / "tools/attack_people.py", "--out", folder, "--n", n, "--seed", seed, "--kind", kind,
             "--span-days", span_days, "--names", names)
        return
    call(PYTHON, HARNESS / "make_data.py", "--out", folder, "--n", n, "--seed", seed, "--kind", kind,
         "--span-days", span_days, "--overlap", overlap)


def make_keys(binary, folder):
    for name in KEYS:
        call(binary, "key", "new", "--out", folder / f"{name}.linkage.key")
        call(binary, "key", "new", "--out", folder / f"{name}.source.key", "--kind", "source")


def encode(binary, profile, map_file, keys, name, people, out):
    call(binary, "encode", "--format", "csv", "--map", map_file, "--source", name, "--profile", profile,
         "--key", keys / f"{name}.linkage.key", "--source-key", keys / f"{name}.source.key", people, "-o", out)
    with open(out, newline="") as file:
        return list(csv.reader(file))


def keep(tables, paths, wanted):
    """Writes the tables again with the columns that tell anything to the victim's reader, and says which those are. A tag
    that no two victims share tells nothing: it would only be noise in the graph."""
    victim = tables[0]
    people = len(victim) - 1
    columns = []
    for at in range(1, len(victim[0])):
        values = {row[at] for row in victim[1:]}
        length = max(map(len, values))
        shared = length > TOKEN_HEX or len(values) < people
        if len(values) > 1 and shared and wanted(length):
            columns.append(at)
    for table, path in zip(tables, paths):
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([[row[at] for at in [0] + columns] for row in table])
    return columns


def recipes(options):
    """Which recipe each column of an encoding belongs to, after the column with the label."""
    profile = tomllib.loads(call(options.binary, "profile", "show", options.profile))
    owners = [None] + [("filter", filter["name"]) for filter in profile.get("filter", [])]
    for tag in profile.get("tag", []):
        owners += [("tag", tag["name"])] * tag.get("slots", len(tag.get("parts", [0])))
    return owners


def groups(columns, owners):
    """The columns by recipe, as attack_wl.py takes them."""
    found = {}
    for index, at in enumerate(columns):
        found.setdefault(owners[at], []).append(str(index))
    return ";".join(",".join(group) for group in found.values())


def attack(cell, names, label, known, by_recipe):
    """All attacks on one cell: the share of people re-identified by each."""
    v, a, a2 = (cell / f"{name}.csv" for name in KEYS)
    people, truth = cell / "attacker.people.csv", cell / "truth.csv"
    graph = ["--enc", v, "--plain", people, "--aux", a, "--aux2", a2, "--truth", truth, "--label", label]
    found = {}
    for name, more in (("gma", []), ("sparse", ["--sparse"])):
        if name in names:
            found[name] = harness("attack_gma.py", *graph, *more)["best_start_oracle"]
    plain = ["--enc", v, "--plain", people, "--truth", truth, "--label", label]
    if "kpa" in names:
        found["kpa"] = harness("attack_kpa.py", *plain, "--known", known)["reid"]
    if "freq" in names:
        found["freq"] = harness("attack_freq.py", *plain)["reid"]
    if "wl" in names and (cell / "victim.tags.csv").exists():
        tags = ["--enc", cell / "victim.tags.csv", "--aux", cell / "attacker.tags.csv", "--truth", truth]
        runs = [harness("attack_wl.py", *tags, *more) for more in ([], ["--groups", by_recipe])]
        found["wl"], found["degree"] = max(run["reid"] for run in runs), runs[0]["degree"]
    return found


def run_cell(options, folder, per_block, seed):
    cell = folder / f"{per_block}-{seed}"
    span = max(1, round(options.n / (2 * per_block)))
    make_data(cell, options.n, seed, options.kind, span, names=options.names)
    map_file = MAPS / ("extended.toml" if options.kind in EXTENDED else "map.toml")
    make_keys(options.binary, cell)
    for people in ("attacker", "victim"):
        (cell / f"{people}.csv").rename(cell / f"{people}.people.csv")
    tables = [encode(options.binary, options.profile, map_file, cell, name, cell / f"{name.rstrip('2')}.people.csv",
                     cell / f"{name}.all.csv") for name in KEYS]
    keep(tables, [cell / f"{name}.csv" for name in KEYS], lambda _: True)
    tags = [cell / f"{name}.tags.csv" for name in KEYS]
    columns = keep(tables, tags, lambda length: length <= TOKEN_HEX)
    if not columns:
        tags[0].unlink()
    by_recipe = groups(columns, recipes(options))
    return attack(cell, options.attacks, f"{options.profile} {per_block}", min(500, options.n // 2), by_recipe)


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
    parser.add_argument("--kind", default="jp", choices=["jp", "jpwide", *EXTENDED])
    parser.add_argument("--names", type=Path, help="persons.csv of jp_small, for region and nation")
    parser.add_argument("--out", type=Path, help="CSV that gains a row for each cell; cells in it are not run again")
    parser.add_argument("--per-block", type=float, nargs="+", default=[12.5, 50.0], help="people per birth date and sex")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--attacks", nargs="+", default=["gma", "sparse", "wl", "kpa", "freq"])
    parser.add_argument("--no-control", action="store_true")
    options = parser.parse_args()
    names = options.attacks + (["degree"] if "wl" in options.attacks else [])
    heading = ["profile", "kind", "n", "per_block", "seed", *names]
    done = {}
    if options.out and options.out.exists():
        with open(options.out, newline="") as file:
            done = {tuple(row[:5]): row[5:] for row in csv.reader(file)}
    elif options.out:
        options.out.write_text(",".join(heading) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        broken = None if options.no_control else control(options, folder, options.seeds[0])
        print(f"{options.profile}, {options.kind}, n={options.n}; % re-identified (degree: tags shared)")
        print("per block", "seed", *(f"{name:>8}" for name in names))
        for per_block in options.per_block:
            for seed in options.seeds:
                cell = (Path(options.profile).stem, options.kind, str(options.n), f"{per_block:g}", str(seed))
                if cell not in done:
                    found = run_cell(options, folder, per_block, seed)
                    done[cell] = [str(found.get(name, "")) for name in names]
                    if options.out:
                        with open(options.out, "a") as file:
                            file.write(",".join([*cell, *done[cell]]) + "\n")
                shown = ("       -" if not value else f"{float(value) * (1 if name == 'degree' else 100):8.2f}"
                         for name, value in zip(names, done[cell]))
                print(f"{per_block:9g} {seed:4d}", *shown, flush=True)
        if broken is None:
            print("no control: this run is no evidence")
        else:
            print(f"control, plain CLK at 20 % overlap: {100 * broken:.1f} %" + ("" if broken >= 0.99 else ": VOID"))
            sys.exit(broken < 0.99)


if __name__ == "__main__":
    main()
