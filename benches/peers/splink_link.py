#!/usr/bin/env python3
"""Links the same invented people with Splink 5 (DuckDB, on the clear text) and with musubi (jp-standard, on
encodings), one after the other in one run, and prints time and quality of both.

  cargo build --release
  python -m venv peers && peers/bin/pip install -r benches/peers/requirements.txt
  peers/bin/python benches/peers/splink_link.py --persons 250000 --dir D [--machine NAME]

250,000 people have about a million records in nine sources. Splink gets them normalised: dates in one form, kana and
letters in one width, names split, sources in one table; that is not timed. Its model follows its own examples:
blocking on birth date with each part of a name, on insurance and on the full name; comparisons of names by
Jaro-Winkler with term frequencies, dates by Damerau-Levenshtein, address, telephone; u by random sampling, m by
expectation maximisation, prior by deterministic rules; connected components. Timed from that table to clusters.
Of several thresholds the one with the best F1 against the truth counts, and clustering is timed once, for it.
musubi chooses its threshold itself. It is timed from the raw CSV files (encoding, submission over gRPC, linkage to
published IDs) and from the encodings in the store (linkage alone). Both results are judged by `musubi evaluate`.
"""
import argparse, csv, json, os, re, subprocess, sys, time, tomllib, unicodedata
from pathlib import Path

from record import record

ROOT = Path(__file__).resolve().parent.parent.parent
MUSUBI = ROOT / "target/release/musubi"
FIELDS = ["surname_kana", "given_kana", "surname", "given", "birth_date", "sex", "insurance", "postcode", "address",
          "phone"]
THRESHOLDS = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]
ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018, "M": 1867, "T": 1911, "S": 1925, "H": 1988,
        "R": 2018, "1": 1867, "2": 1911, "3": 1925, "4": 1988, "5": 2018}
MALE, FEMALE = {"男", "M", "1"}, {"女", "F", "2"}


def date(text):
    """A date in any of the sources' forms as YYYY-MM-DD, or None."""
    text = unicodedata.normalize("NFKC", text).replace("元年", "1年").strip()
    found = re.fullmatch(r"(明治|大正|昭和|平成|令和|[MTSHR])(\d+)[年.](\d+)[月.](\d+)日?", text)
    if found:
        return f"{ERAS[found[1]] + int(found[2]):04}-{int(found[3]):02}-{int(found[4]):02}"
    digits = re.sub(r"\D", "", text)
    if len(digits) == 7 and digits[0] in ERAS:
        return f"{ERAS[digits[0]] + int(digits[1:3]):04}-{digits[3:5]}-{digits[5:]}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else None


def folded(text, kana=False):
    text = unicodedata.normalize("NFKC", text or "").strip().upper()
    if kana:
        # Small and large kana, and the two ways to write ji and zu, are told apart by some sources only.
        text = text.translate(str.maketrans("ァィゥェォッャュョヮヂヅヲ", "アイウエオツヤユヨワジズオ"))
    return text


def parts(row, whole, surname, given, kana):
    if row.get(surname) or row.get(given):
        return folded(row.get(surname), kana) or None, folded(row.get(given), kana) or None
    words = folded(row.get(whole), kana).split()
    return (words[0], "".join(words[1:])) if len(words) > 1 else (None, words[0] if words else None)


def normalised(people):
    """All records of all sources with the fields that Splink compares."""
    listed = tomllib.loads((people / "sources.toml").read_text())["source"]
    for source in listed:
        with open(people / source["file"], newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                surname_kana, given_kana = parts(row, "name_kana", "surname_kana", "given_kana", True)
                surname, given = parts(row, "name", "surname", "given", False)
                sex = folded(row["sex"])
                insured = [re.sub(r"\W", "", folded(row.get(name))).lstrip("0") for name in ("insurer_no", "symbol", "number")]
                yield {
                    "unique_id": f"{source['name']}|{row['record_id']}",
                    "surname_kana": surname_kana, "given_kana": given_kana, "surname": surname, "given": given,
                    "birth_date": date(row.get("birth_date") or ""),
                    "sex": "M" if sex in MALE else "F" if sex in FEMALE else None,
                    "insurance": "-".join(insured) if insured[0] and insured[2] else None,
                    "postcode": re.sub(r"\D", "", folded(row.get("postcode"))) or None,
                    "address": re.sub(r"\s", "", folded(row.get("address"))) or None,
                    "phone": re.sub(r"\D", "", folded(row.get("phone"))) or None,
                }


def settings():
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on
    names = ["surname_kana", "given_kana", "surname", "given"]
    compared = [cl.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True) for name in names]
    compared += [
        cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
        cl.ExactMatch("sex"), cl.ExactMatch("insurance"), cl.ExactMatch("postcode"), cl.ExactMatch("phone"),
        cl.JaroWinklerAtThresholds("address", [0.95, 0.85]),
    ]
    rules = [block_on("birth_date", name) for name in names]
    rules += [block_on("insurance", "given_kana"), block_on("insurance", "birth_date"), block_on("surname_kana", "given_kana", "substr(birth_date, 1, 4)")]
    return SettingsCreator(link_type="dedupe_only", comparisons=compared, blocking_rules_to_generate_predictions=rules,
                           retain_matching_columns=False, retain_intermediate_calculation_columns=False)


def run_splink(table, folder, memory):
    import duckdb
    from splink import DuckDBAPI, Linker, block_on
    connection = duckdb.connect(str(folder / "splink.duckdb"))
    connection.execute(f"set memory_limit='{memory}GB'; set temp_directory='{folder / 'spill'}'")
    start = time.time()
    connection.execute(f"create table people as from read_parquet('{table}')")
    api = DuckDBAPI(connection)
    linker = Linker(api.register("people"), settings(), log_level=None)
    training = linker.training
    certain = [block_on("surname_kana", "given_kana", "birth_date"), block_on("surname", "given", "birth_date")]
    training.estimate_probability_two_random_records_match(certain, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (block_on("birth_date", "given_kana"), block_on("surname_kana", "given_kana"), block_on("surname", "given", "birth_date")):
        training.estimate_parameters_using_expectation_maximisation(rule)
    trained = time.time()
    scored = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    predicted = time.time()
    best = None
    for threshold in THRESHOLDS:
        before = time.time()
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold)
        seconds = time.time() - before
        out = folder / "splink_entities.csv"
        connection.execute(f"""copy (select split_part(unique_id, '|', 1) as source, split_part(unique_id, '|', 2) as record_id,
            cluster_id as entity from {clusters.physical_name}) to '{out}' (header)""")
        quality = evaluated(out, folder / "people/truth.csv")
        print(f"splink at {threshold}: {quality}", flush=True)
        if best is None or quality["f1"] > best[1]["f1"]:
            best = (threshold, quality, seconds)
    pairs = connection.execute(f"select count(*) from {scored.physical_name}").fetchone()[0]
    threshold, quality, clustering = best
    return {"splink_train_s": trained - start, "splink_predict_s": predicted - trained, "splink_cluster_s": clustering,
            "splink_s": predicted - start + clustering, "splink_pairs": pairs, "splink_threshold": threshold,
            **{f"splink_{name}": value for name, value in quality.items()}}


def evaluated(entities, truth):
    done = subprocess.run([MUSUBI, "evaluate", entities, "--truth", truth, "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["pairwise"]


def run_musubi(folder):
    out = folder / "musubi"
    done = subprocess.run([MUSUBI, "demo", "--data", folder / "people", "--profile", "jp-standard", "--dir", out, "--json"],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    report = json.loads((out / "report.json").read_text())
    steps = {step["name"]: step["seconds"] for step in report["steps"]}
    linking = ("load", "plan", "block", "compare", "score", "audit", "complete", "cluster", "publish")
    print("musubi:", {name: round(seconds, 2) for name, seconds in steps.items()})
    quality = evaluated(out / "entities.csv", folder / "people/truth.csv")
    return {"musubi_s": sum(steps.values()), "musubi_link_s": sum(steps[name] for name in linking),
            **{f"musubi_{name}": value for name, value in quality.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=25_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, required=True, help="a new folder")
    parser.add_argument("--memory", type=int, default=12, help="GB that DuckDB may take")
    parser.add_argument("--machine", help="append to benches/record/MACHINE/DATE.csv")
    given = parser.parse_args()
    import pyarrow, pyarrow.parquet
    folder = given.dir
    folder.mkdir(parents=True)
    people = folder / "people"
    subprocess.run([MUSUBI, "synth", "--persons", str(given.persons), "--seed", str(given.seed), "--coverage", "0.7",
                    "--out", people], check=True)
    schema = pyarrow.schema([(name, pyarrow.string()) for name in ["unique_id", *FIELDS]])
    table = folder / "people.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(normalised(people)), schema=schema), table)
    records = pyarrow.parquet.read_metadata(table).num_rows
    row = {"records": records, "load_before": os.getloadavg()[0], **run_musubi(folder), **run_splink(table, folder, given.memory)}
    row["ratio"], row["ratio_link"] = row["splink_s"] / row["musubi_s"], row["splink_s"] / row["musubi_link_s"]
    row = {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
    record(given.machine, "peer-splink", list(row.items()))


if __name__ == "__main__":
    main()
