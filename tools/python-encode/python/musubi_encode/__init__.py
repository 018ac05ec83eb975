"""Encodes records at the source, so that only encodings leave it.

    import musubi_encode
    report = musubi_encode.encode(frame, "hosp_a.mse", map="hosp_a.toml", source="hosp_a",
                                  key="linkage.key", source_key="hosp_a.key")

`frame` is a path, or a pandas or polars data frame with the columns that the map names. A frame goes
through a pipe, never through a file. The bytes are those of `musubi-encode encode` on the same rows.
"""

import json
import os
import threading

from . import _native

__all__ = ["encode"]


def encode(frame, output, *, map, source, key, source_key=None, profile="jp-standard", epoch="1",
           tracers=0, format="mse"):
    """Writes the encoding file and returns the report: counts, refusals by reason, fill."""
    options = dict(map=map, source=source, key=key, source_key=source_key, profile=profile, epoch=epoch,
                   tracers=tracers, format=format)
    if not (hasattr(frame, "to_csv") or hasattr(frame, "write_csv")):
        return json.loads(_native.encode_file(os.fspath(frame), output, **options))
    reading, writing = os.pipe()
    failures = []
    writer = threading.Thread(target=_write, args=(frame, writing, failures), daemon=True)
    writer.start()
    try:
        report = _native.encode_file(f"/dev/fd/{reading}", output, **options)
    finally:
        os.close(reading)
        writer.join()
    if failures:
        os.remove(output)
        raise failures[0]
    return json.loads(report)


def _write(frame, descriptor, failures):
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as pipe:
            if hasattr(frame, "to_csv"):
                frame.to_csv(pipe, index=False)
            else:
                pipe.write(frame.write_csv())
    except BrokenPipeError:
        # The encoder stopped, and says why itself.
        pass
    except Exception as failure:
        failures.append(failure)
