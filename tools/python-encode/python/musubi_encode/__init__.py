"""Encodes records at the source, so that only encodings leave it.

    import musubi_encode
    report = musubi_encode.encode(rows, "hosp_a.mse", map="hosp_a.toml", source="hosp_a",
                                  key="linkage.key", source_key="hosp_a.key")

`rows` is one of

* the path of a file, of the form that the map names;
* an iterable of dicts, all with the keys of the first: the columns that the map names and any others;
* a pandas or polars data frame with those columns (neither library is needed otherwise).

Rows in memory go to the encoder through a pipe as CSV in UTF-8, never through a file, and are not held
twice: a generator of any length takes constant memory. The map is then one of a CSV in UTF-8. The bytes
written are those of `musubi-encode encode` on a CSV of the same rows. None and NaN are empty, a date is
yyyy-mm-dd, and a whole number that a library holds as floating (1.0) is written as whole (1).

Linux and macOS. Other threads of Python run while a file is encoded.
"""

import collections.abc
import csv
import json
import os
import threading

from . import _native
from ._native import EncodeError

__all__ = ["encode", "EncodeError"]

IN_MEMORY = "the rows"


def encode(rows, output, *, map, source, key, source_key=None, profile="jp-standard", epoch="1",
           tracers=0, format="mse"):
    """Writes an encoding file and returns the report as a dict: records, refusals by reason with the
    first lines of each, notes by field and rule, fill, and what to look at in words.

    Raises `EncodeError` (a `ValueError`) if the input, map, profile or a key is refused; its text names
    the file, the line or field and the rule, never a value. The line of rows in memory is counted as in
    a CSV: the first row is line 2. A row that is refused is no error: it is counted. What iterating over
    `rows` raises comes through as it is. After an exception there is no encoding file.
    """
    options = dict(map=os.fspath(map), source=source, key=os.fspath(key), profile=profile, epoch=epoch,
                   source_key=None if source_key is None else os.fspath(source_key), tracers=tracers,
                   format=format)
    output = os.fspath(output)
    if isinstance(rows, (str, os.PathLike)):
        return json.loads(_native.encode_file(os.fspath(rows), output, **options))
    reading, writing = os.pipe()
    failures = []
    writer = threading.Thread(target=_write, args=(rows, writing, failures), daemon=True)
    writer.start()
    name = f"/dev/fd/{reading}"
    # A writer that fails leaves a file cut short: it must not take the place of an older one.
    partial = output + ".rows"
    try:
        report = json.loads(_native.encode_file(name, partial, **options))
    except EncodeError as error:
        refused = EncodeError(str(error).replace(name, IN_MEMORY).replace(partial, output))
    else:
        refused = None
    finally:
        os.close(reading)
        writer.join()
    if failures or refused:
        if not refused:
            os.remove(partial)
        raise failures[0] if failures else refused
    os.replace(partial, output)
    report["output"] = output
    return report


def _write(rows, descriptor, failures):
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as pipe:
            if hasattr(rows, "to_csv"):
                rows.to_csv(pipe, index=False, float_format=_whole)
            elif hasattr(rows, "write_csv"):
                _write_dicts(rows.iter_rows(named=True), pipe)
            else:
                _write_dicts(rows, pipe)
    except BrokenPipeError:
        # The encoder stopped, and says why itself.
        pass
    except BaseException as failure:
        failures.append(failure)


def _write_dicts(rows, pipe):
    writer, columns = csv.writer(pipe), None
    for line, row in enumerate(rows, start=2):
        if not isinstance(row, collections.abc.Mapping):
            raise EncodeError(f"{IN_MEMORY}: line {line}: a row is a dict")
        if columns is None:
            columns = list(row)
            writer.writerow(columns)
        if row.keys() != set(columns):
            other = sorted(str(name) for name in row.keys() ^ set(columns))
            raise EncodeError(f"{IN_MEMORY}: line {line}: all rows have the columns of the first; "
                              f"here it is not so for {', '.join(other)}")
        writer.writerow([_text(row[name]) for name in columns])


def _text(value):
    if value is None or value != value:
        return ""
    return _whole(value) if isinstance(value, float) else value


def _whole(number):
    return str(int(number)) if float(number).is_integer() else str(number)
