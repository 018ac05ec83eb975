"""Many rows from the server, as they come: read once, into a frame or straight into a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pandas
    import polars

Batch = list[tuple[str, str, str]]


class Rows:
    """Rows of three texts. They can be read once; a second reading needs a second call to the server."""

    def __init__(self, batches: Iterable[Batch], columns: tuple[str, str, str], about: dict[str, Any]) -> None:
        self._batches: Iterator[Batch] | None = iter(batches)
        self.schema = pa.schema([pa.field(name, pa.string()) for name in columns])
        self.about = about
        """What the rows are: filled in as they come; complete when they have all been read."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as they come, a few thousand at a time: memory stays flat however many there are."""
        if self._batches is None:
            raise RuntimeError("these rows have been read already; ask the server again")
        rows, self._batches = self._batches, None
        for batch in rows:
            yield pa.RecordBatch.from_arrays([pa.array(column) for column in zip(*batch)], schema=self.schema)

    def to_arrow(self) -> pa.Table:
        return pa.Table.from_batches(self.batches(), schema=self.schema)

    def to_pandas(self) -> pandas.DataFrame:
        return self.to_arrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        import polars

        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def to_parquet(self, path: str | os.PathLike[str]) -> int:
        """Writes a Parquet file and a manifest beside it (`FILE.manifest.json`), and says how many rows there are. The
        file appears only when it is whole."""
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        count = 0
        try:
            with pq.ParquetWriter(partial, self.schema, compression="zstd") as writer:
                for batch in self.batches():
                    writer.write_batch(batch)
                    count += batch.num_rows
            manifest = path.with_name(path.name + ".manifest.json")
            manifest.write_text(json.dumps({**self.about, "rows": count}, ensure_ascii=False, indent=2) + "\n")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return count
