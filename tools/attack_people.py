#!/usr/bin/env python3
"""Makes people with written names, municipality and insurance for tools/attack.py: what make_data.py of the harness leaves out.

Names are drawn, surname and given name apart, from a list of invented people (`persons.csv` of jp_small: sex, birth_date,
birth_surname, birth_surname_kana, given, given_kana), of people born within ten years of one another, for names go by
generation. Everybody is born within `--span-days`. One in 75 is followed by a twin. `region`: 1,500 postcodes in 50
municipalities; `nation`: 20,000 postcodes in 600 areas.
"""
import argparse, csv, datetime, random
from pathlib import Path

FIELDS = ["id", "sei", "mei", "sei_kanji", "mei_kanji", "sex", "dob", "zip", "muni", "insurer", "symbol", "number", "branch"]
TWINS = 1 / 75
SAME_SEX = 0.65


def places(kind, rng):
    """Postcodes with their municipality, and how many people live in each."""
    if kind == "nation":
        codes = [f"{100 + rng.randrange(600):03d}{rng.randrange(100):02d}{rng.randrange(100):02d}" for _ in range(20000)]
        pairs = [(code, f"{10000 + int(code[:3]):05d}") for code in codes]
    else:
        towns = [min(int(rng.paretovariate(1.0)) - 1, 49) if rng.random() < 0.5 else rng.randrange(50) for _ in range(1500)]
        pairs = [(f"{500 + town:03d}{rng.randrange(10000):04d}", f"{20000 + town:05d}") for town in towns]
    return pairs, [rng.paretovariate(1.5) for _ in pairs]


def people(kind, n, span_days, names, rng):
    centre = rng.randrange(1935, 2005)
    pool = [row for row in names if abs(int(row["birth_date"][:4]) - centre) <= 10]
    given = {sex: [(row["given_kana"], row["given"]) for row in pool if row["sex"] == letter] for sex, letter in ("1M", "2F")}
    surnames = [(row["birth_surname_kana"], row["birth_surname"]) for row in pool]
    codes, weights = places(kind, rng)
    made = []
    while len(made) < n:
        sex, (kana, kanji), (code, municipality) = rng.choice("12"), rng.choice(surnames), rng.choices(codes, weights)[0]
        born = datetime.date(1955, 1, 1) + datetime.timedelta(days=rng.randrange(span_days))
        reading, written = rng.choice(given[sex])
        one = dict(sei=kana, sei_kanji=kanji, mei=reading, mei_kanji=written, sex=sex, dob=f"{born:%Y%m%d}", zip=code,
                   muni=municipality, insurer=f"{rng.randrange(300):08d}", symbol=f"{rng.randrange(3000):04d}",
                   number=f"{rng.randrange(10**6):06d}", branch="01")
        made.append(one)
        if rng.random() < TWINS:
            sex = sex if rng.random() < SAME_SEX else "21"[int(sex) - 1]
            reading, written = rng.choice([name for name in given[sex] if name[0] != reading])
            made.append(dict(one, mei=reading, mei_kanji=written, sex=sex, branch="02"))
    return made[:n]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", default="region", choices=["region", "nation"])
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--span-days", type=int, default=40)
    parser.add_argument("--names", type=Path, required=True, help="persons.csv")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with open(options.names, encoding="utf-8", newline="") as file:
        names = [row for row in csv.DictReader(file) if row["given_kana"] and not row.get("nationality")]
    made = people(options.kind, options.n, options.span_days, names, rng)
    options.out.mkdir(parents=True, exist_ok=True)
    order = {}
    for name, letter in (("victim", "v"), ("attacker", "a")):
        shuffled = list(range(len(made)))
        rng.shuffle(shuffled)
        order[name] = {person: f"{letter}{row:06d}" for row, person in enumerate(shuffled)}
        with open(options.out / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(dict(made[person], id=order[name][person]) for person in shuffled)
    with open(options.out / "truth.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["victim", "attacker"])
        writer.writerows((order["victim"][person], order["attacker"][person]) for person in range(len(made)))


if __name__ == "__main__":
    main()
