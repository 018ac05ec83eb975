#!/usr/bin/env python3
"""How fast does `musubi-encode encode` make encodings, beside clkhash 0.18 on the same records?

    python3 -m venv V && V/bin/pip install clkhash==0.18.0
    cargo build --release --bin musubi-encode
    V/bin/python benches/peers/encode.py --machine NAME [--records 1000000] [--rounds 5] [--flat]

People are made from a seed and written as one CSV with the columns of `tools/maps/jp_small/hosp_a.toml`.
Both read that file from disk: musubi-encode writes a finished .mse file, clkhash makes its filters in
one process (with validation, its default) and writes nothing. In each round musubi-encode (jp-standard, then the
same with HMAC-SHA-256) and clkhash (20,000 rows) take turns; figures are records per second of processor
time, user and system, of the whole process, median of the rounds. So they are per core, and other
programs on the machine disturb them less than they disturb the clock. `--flat` encodes a tenth of the
records, all, and ten times as many, and prints the most memory that each took.
"""

import argparse
import csv
import datetime
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from record import record

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLUMNS = ("record_id,patient_no,updated,surname,given,surname_kana,given_kana,birth_date,sex,"
           "postcode,address,phone,insurer_no,symbol,number").split(",")
SURNAMES = [("佐藤", "サトウ"), ("鈴木", "スズキ"), ("髙橋", "タカハシ"), ("田中", "タナカ"),
            ("渡邉", "ワタナベ"), ("伊藤", "イトウ"), ("山本", "ヤマモト"), ("中村", "ナカムラ"),
            ("小林", "コバヤシ"), ("長谷川", "ハセガワ"), ("五十嵐", "イガラシ"), ("森", "モリ")]
GIVEN = [("翔", "ショウ"), ("花子", "ハナコ"), ("健一", "ケンイチ"), ("美咲", "ミサキ"), ("大輔", "ダイスケ"),
         ("陽菜", "ヒナ"), ("正", "タダシ"), ("和子", "カズコ"), ("悠真", "ユウマ"), ("さくら", "サクラ")]
TOWNS = ["大阪府守口市佐太中町", "大阪府大阪市北区池田町", "東京都練馬区石神井台", "北海道札幌市中央区南一条西",
         "愛知県名古屋市千種区今池", "福岡県福岡市博多区博多駅前"]
# The fields that jp-standard uses, hashed as in clkhash's own tutorial: bigrams, bits shared out by field.
FIELDS = ("surname", "given", "surname_kana", "given_kana", "birth_date", "sex", "postcode", "address",
          "insurer_no", "symbol", "number", "patient_no")
CLKHASH_RECORDS = 20_000


def write_people(path, count, seed):
    draw = random.Random(seed)
    with open(path, "w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        for number in range(count):
            (surname, surname_kana), (given, given_kana) = draw.choice(SURNAMES), draw.choice(GIVEN)
            birth = datetime.date(1930, 1, 1) + datetime.timedelta(draw.randrange(33_000))
            block = f"{draw.randrange(1, 9)}丁目{draw.randrange(1, 40)}-{draw.randrange(1, 30)}"
            rows.writerow([f"R{number:09d}", f"{number:08d}", "2020-04-01", surname, given, surname_kana,
                           given_kana, birth.isoformat(), draw.choice("MF"), f"{draw.randrange(10**7):07d}",
                           draw.choice(TOWNS) + block, f"090{draw.randrange(10**8):08d}",
                           f"{draw.randrange(10**8):08d}", draw.randrange(10**4), draw.randrange(10**5)])


def clkhash_schema():
    from clkhash.schema import from_json_dict

    def feature(name):
        if name not in FIELDS:
            return {"identifier": name, "ignored": True}
        form = {"type": "string", "encoding": "utf-8"}
        if name == "birth_date":
            form = {"type": "date", "format": "%Y-%m-%d"}
        hashing = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerFeature": 100}}
        return {"identifier": name, "format": form, "hashing": hashing}

    kdf = {"type": "HKDF", "hash": "SHA256", "info": "", "salt": "", "keySize": 64}
    return from_json_dict({"version": 3, "clkConfig": {"l": 1024, "kdf": kdf},
                           "features": [feature(name) for name in COLUMNS]})


def clkhash_rate(path, schema):
    """Records per second of processor time: reading, checking values, hashing, as its command does."""
    from clkhash.clk import generate_clk_from_csv

    start = own_seconds()
    with open(path, encoding="utf-8", newline="") as rows:
        made = generate_clk_from_csv(rows, "a secret of the bench", schema, progress_bar=False, max_workers=1)
    assert len(made) == CLKHASH_RECORDS
    return CLKHASH_RECORDS / (own_seconds() - start)


def own_seconds():
    """Processor time of this process and of the workers that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Musubi:
    """The release binary with keys of its own."""

    def __init__(self, folder):
        self.binary = pathlib.Path(os.environ.get("MUSUBI_ENCODE", ROOT / "target/release/musubi-encode"))
        self.folder = folder
        self.key, self.source_key = folder / "linkage.key", folder / "source.key"
        self.call("key", "new", "--out", self.key)
        self.call("key", "new", "--kind", "source", "--out", self.source_key)
        profile = self.call("profile", "show", "jp-standard").decode()
        self.hmac = folder / "jp-standard-hmac.toml"
        # A key before the first table.
        self.hmac.write_text('suite = "hmac-sha-256"\n' + profile, encoding="utf-8")

    def call(self, *arguments):
        return subprocess.run([self.binary, *map(str, arguments)], check=True, capture_output=True).stdout

    def encode(self, path, profile):
        """Seconds of processor time, seconds, and most memory (MiB) of one run."""
        arguments = [self.binary, "encode", "--map", ROOT / "tools/maps/jp_small/hosp_a.toml", "--source", "hosp_a",
                     "--profile", profile, "--key", self.key, "--source-key", self.source_key, path,
                     "-o", self.folder / "out.mse"]
        start = time.monotonic()
        child = subprocess.Popen([str(word) for word in arguments], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit("musubi-encode failed")
        return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss / 1024


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--machine", default="unnamed")
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--flat", action="store_true")
    options.add_argument("--dir", type=pathlib.Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        folder = pathlib.Path(folder)
        people, musubi = folder / "people.csv", Musubi(folder)
        rows = [("load_before", f"{os.getloadavg()[0]:.2f}"), ("records", given.records), ("seed", given.seed)]
        write_people(people, given.records, given.seed)
        few = folder / "few.csv"
        write_people(few, CLKHASH_RECORDS, given.seed)
        schema = clkhash_schema()
        clkhash_rate(few, schema)  # imports and warms up
        measured = {"jp_standard": [], "hmac_sha_256": [], "clkhash": []}
        for _ in range(given.rounds):
            for name, profile in (("jp_standard", "jp-standard"), ("hmac_sha_256", musubi.hmac)):
                measured[name].append(given.records / musubi.encode(people, profile)[0])
            measured["clkhash"].append(clkhash_rate(few, schema))
        for name, rates in measured.items():
            rows.append((f"{name}_per_cpu_s", f"{statistics.median(rates):.0f}"))
        ratios = [ours / theirs for ours, theirs in zip(measured["jp_standard"], measured["clkhash"])]
        rows.append(("times_clkhash", f"{statistics.median(ratios):.1f}"))
        rows.append(("times_clkhash_least", f"{min(ratios):.1f}"))
        if given.flat:
            for count in (given.records // 10, given.records, given.records * 10):
                write_people(people, count, given.seed)
                _, seconds, peak = musubi.encode(people, "jp-standard")
                rows.append((f"peak_mib_at_{count}", f"{peak:.0f}"))
                rows.append((f"seconds_at_{count}", f"{seconds:.1f}"))
        record(given.machine, "encode", rows)


if __name__ == "__main__":
    main()
