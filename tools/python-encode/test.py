"""The wheel's bytes are those of the command: on a file, on dicts and on a frame, in both formats. A
pipe holds 64 KiB: rows in memory only arrive if the encoder lets other threads of Python run."""

import csv
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

import musubi_encode

COLUMNS = ["id", "kana", "born", "sex", "zip"]
DAY = datetime.date(1950, 1, 2)
ROWS = [[f"R{i}", "サトウ　ハナコ" if i % 2 else "ヤマダ, タロウ", DAY + datetime.timedelta(days=i % 15_000),
         2 if i % 2 else 1, None if i % 9 == 0 else f"{5700000 + i}"] for i in range(5_000)]
MAP = """record_ref = "id"
kind = "hospital"
locale = "jp"
[fields]
name_kana = "kana"
birth_date = "born"
sex = "sex"
postcode = "zip"
"""


def dicts():
    for row in ROWS:
        yield dict(zip(COLUMNS, row))


def frames():
    """What rows in memory may be, by name."""
    forms = {"generator": dicts, "list": lambda: list(dicts()),
             "floating": lambda: [{**row, "sex": float(row["sex"]), "zip": row["zip"] or float("nan")}
                                  for row in dicts()]}
    try:
        import pandas
    except ImportError:
        print("without pandas")
    else:
        def with_missing():
            frame = pandas.DataFrame(list(dicts()))
            frame["born"] = pandas.to_datetime(frame["born"])
            frame["sex"] = frame["sex"].astype("float64")
            return frame
        forms["pandas"] = lambda: pandas.DataFrame(list(dicts()))
        forms["pandas, other types"] = with_missing
    return forms


def without_time(path):
    """An encoding file without the time in its header and the hash over all."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:12], "little")
    header = json.loads(data[12:12 + length])
    del header["created_unix_s"]
    return data[:8], header, data[12 + length:-32]


def refusal(rows, folder, options, kind=ValueError):
    """The text of an exception, after which no file is left and an older one is as it was."""
    for older in (None, b"older"):
        out = folder / "never.mse"
        if older:
            out.write_bytes(older)
        try:
            musubi_encode.encode(rows() if callable(rows) else rows, out, **options)
        except kind as error:
            text = str(error)
        else:
            raise AssertionError("not refused")
        assert (out.read_bytes() if out.exists() else None) == older, text
        assert not list(folder.glob("never.mse?*")), text
        out.unlink(missing_ok=True)
    return text


def refusals(folder, options):
    def change(**values):
        return lambda: ({**row, **values} if i == 3_000 else row for i, row in enumerate(dicts()))

    def failing():
        yield from dicts()
        raise KeyError("of the caller")

    def has(text, *parts):
        for part in parts:
            assert part in text, text
        for value in ("サトウ", "R3000", "5700"):
            assert value not in text, text

    has(refusal(dicts, folder, {**options, "source": "Not A Name"}), "source name")
    has(refusal(dicts, folder, {**options, "profile": "jp-standart"}), "jp-standart", "jp-standard")
    has(refusal(dicts, folder, {**options, "key": options["source_key"]}), "source.key", "musubi-linkage-secret-v1")
    has(refusal(dicts, folder, {**options, "key": "no-such.key"}), "no-such.key")
    has(refusal(dicts, folder, {**options, "format": "xml"}), "format")
    has(refusal(folder / "no-such.csv", folder, options), "no-such.csv")
    has(refusal(lambda: ({"id": row["id"], "name": row["kana"]} for row in dicts()), folder, options),
        "the rows", '"kana"', "name_kana")
    has(refusal(change(more="x"), folder, options), "line 3002", "more")
    has(refusal(lambda: ROWS, folder, options), "line 2", "a row is a dict")
    has(refusal([], folder, options), "the rows", "empty")
    assert "of the caller" in refusal(failing, folder, options, KeyError)
    # A bad row is no error: it is counted, with its line.
    report = musubi_encode.encode(change(id="")(), folder / "bad.mse", **options)
    assert report["records"] == 4_999 and report["read"]["refused"] == {"record_ref": 1}, report
    assert report["read"]["first_lines"]["record_ref"] == [3_002], report
    assert report["output"] == str(folder / "bad.mse")


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "map.toml").write_text(MAP, encoding="utf-8")
        with open(folder / "in.csv", "w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([COLUMNS] + ROWS)
        for name, kind in (("linkage.key", "linkage"), ("source.key", "source")):
            subprocess.run([binary, "key", "new", "--kind", kind, "--out", folder / name], check=True,
                           stdout=subprocess.DEVNULL)
        options = dict(map=folder / "map.toml", source="hosp_a", key=folder / "linkage.key",
                       source_key=folder / "source.key")
        compared = 0
        for form in ("mse", "csv"):
            subprocess.run([binary, "encode", folder / "in.csv", "-o", folder / f"cli.{form}", "--format", form,
                            "--map", options["map"], "--source", "hosp_a", "--key", options["key"],
                            "--source-key", options["source_key"], "--tracers", "10"],
                           check=True, stdout=subprocess.DEVNULL)
            for name, make in {"file": lambda: folder / "in.csv", **frames()}.items():
                out = folder / f"{name}.{form}"
                report = musubi_encode.encode(make(), out, format=form, tracers=10, **options)
                assert report["records"] == 5_010, report["records"]
                expected = folder / f"cli.{form}"
                if form == "csv":
                    assert out.read_bytes() == expected.read_bytes(), name
                else:
                    assert without_time(out) == without_time(expected), name
                compared += 1
        refusals(folder, options)
    print(f"the wheel writes the bytes of musubi-encode ({compared} files), and says what it refuses")


if __name__ == "__main__":
    main(sys.argv[1])
