"""The wheel's bytes are those of the command: on a file and on a frame, in both formats."""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import musubi_encode

ROWS = [["id", "kana", "born", "sex", "zip"]] + [
    [f"R{i}", "サトウ　ハナコ" if i % 2 else "ヤマダ タロウ", f"19{50 + i % 40}{1 + i % 12:02}{1 + i % 28:02}",
     "2" if i % 2 else "1", f"{5700000 + i}"] for i in range(5_000)]
MAP = """record_ref = "id"
kind = "hospital"
locale = "jp"
[fields]
name_kana = "kana"
birth_date = "born"
sex = "sex"
postcode = "zip"
"""


class Frame:
    """What the wheel uses of a pandas data frame."""

    def to_csv(self, target, index):
        assert index is False
        csv.writer(target).writerows(ROWS)


def without_time(path):
    """An encoding file without the time in its header and the hash over all."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:12], "little")
    header = json.loads(data[12:12 + length])
    del header["created_unix_s"]
    return data[:8], header, data[12 + length:-32]


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "map.toml").write_text(MAP, encoding="utf-8")
        with open(folder / "in.csv", "w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(ROWS)
        for name, kind in (("linkage.key", "linkage"), ("source.key", "source")):
            subprocess.run([binary, "key", "new", "--kind", kind, "--out", folder / name], check=True,
                           stdout=subprocess.DEVNULL)
        options = dict(map=str(folder / "map.toml"), source="hosp_a", key=str(folder / "linkage.key"),
                       source_key=str(folder / "source.key"))
        for form in ("mse", "csv"):
            subprocess.run([binary, "encode", folder / "in.csv", "-o", folder / f"cli.{form}", "--format", form,
                            "--map", options["map"], "--source", "hosp_a", "--key", options["key"],
                            "--source-key", options["source_key"], "--tracers", "10"],
                           check=True, stdout=subprocess.DEVNULL)
            for name, frame in (("file", folder / "in.csv"), ("frame", Frame())):
                out = folder / f"{name}.{form}"
                report = musubi_encode.encode(frame, str(out), format=form, tracers=10, **options)
                assert report["records"] == 5_010, report["records"]
                expected = folder / f"cli.{form}"
                if form == "csv":
                    assert out.read_bytes() == expected.read_bytes(), name
                else:
                    assert without_time(out) == without_time(expected), name
        try:
            musubi_encode.encode(Frame(), str(folder / "never.mse"), **{**options, "source": "Not A Name"})
        except ValueError as refused:
            assert "source name" in str(refused)
        else:
            raise AssertionError("a wrong name is refused")
        assert not (folder / "never.mse").exists()
    print("the wheel writes the bytes of musubi-encode")


if __name__ == "__main__":
    main(sys.argv[1])
