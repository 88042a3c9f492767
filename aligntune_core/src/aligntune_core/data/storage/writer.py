"""Rows written as they come, each batch with the columns that fit so far; what did not fit is written once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.data.storage.columns import array_of, with_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

Row = dict[str, Any]


@dataclass(slots=True)
class _Segment:
    """Batches with one schema, one after another.

    Args:
        sink: The file, or memory, that they are written to.
        writer: Writes them.
        schema: Their schema.
        shape: Their rows' shape.
        path: The file; None in memory.
    """

    sink: Any
    writer: Any
    schema: pa.Schema
    shape: int
    path: Path | None

    def close(self) -> None:
        """Write the end."""
        self.writer.close()
        if self.path is not None:
            self.sink.close()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was written, batch by batch."""
        import pyarrow as pa

        source = pa.OSFile(str(self.path)) if self.path is not None else pa.BufferReader(self.sink.getvalue())
        with source, pa.ipc.open_stream(source) as stream:
            yield from stream


class RowWriter:
    """Writes rows to one Arrow file or into memory.

    Args:
        folder: Where ``rows.arrow`` is to be; None for memory.
        shaped: Gives rows a wider shape than they have.
    """

    def __init__(self, folder: Path | None, shaped: Callable[[list[Row], int], list[Row]]) -> None:
        self._folder = folder
        self._shaped = shaped
        self._done: list[_Segment] = []
        self._open: _Segment | None = None
        self._types: dict[str, pa.DataType] = {}
        self._started = 0
        self.shape = 0

    def write(self, rows: list[Row], shape: int) -> None:
        """Write a batch.

        Args:
            rows: The rows.
            shape: Their shape; the higher of two numbers is the wider shape.
        """
        if not rows:
            return
        if shape > self.shape:
            self.shape, self._types = shape, {}
        elif shape < self.shape:
            rows = self._shaped(rows, self.shape)
        self._write(rows)

    def finish(self) -> Any:
        """Close what was written and bring it to one schema.

        Returns:
            The file's path, or the memory's buffer.
        """
        if self._open is None:
            self._start()
        self._end()
        last = self._done[-1]
        if len(self._done) > 1:
            last = self._rewritten()
        if last.path is None:
            return last.sink.getvalue()
        return last.path.rename(last.path.with_name("rows.arrow"))

    def _rewritten(self) -> _Segment:
        """All segments in one, with the columns of all, in the shape of the last."""
        narrow, self._done = self._done, []
        self._types = dict(_types(narrow[-1].schema))
        self._start()
        for segment in narrow:
            for batch in segment.batches():
                self._again(batch, segment.shape)
            if segment.path is not None:
                segment.path.unlink()
        self._end()
        # rows of a wider shape may have columns of another type than the others had
        return self._done[-1] if len(self._done) == 1 else self._rewritten()

    def _again(self, batch: pa.RecordBatch, shape: int) -> None:
        if self._open and shape == self.shape and batch.schema.equals(self._open.schema):
            self._open.writer.write_batch(batch)
            return
        rows = rows_of(batch)
        self._write(self._shaped(rows, self.shape) if shape < self.shape else rows)

    def _write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        columns = dict.fromkeys(self._types)
        for row in rows:
            if row.keys() != columns.keys():
                columns.update(dict.fromkeys(row))
        arrays = [array_of([row.get(name) for row in rows], self._types.get(name), name) for name in columns]
        types = dict(zip(columns, (array.type for array in arrays), strict=True))
        segment = self._open
        if segment is None or types != self._types or segment.shape != self.shape:
            self._end()
            self._types = types
            segment = self._start()
        segment.writer.write_batch(pa.record_batch(arrays, schema=segment.schema))

    def _start(self) -> _Segment:
        import pyarrow as pa

        schema = with_features(pa.schema(list(self._types.items())))
        self._started += 1
        path = self._folder / f"part-{self._started}.arrow" if self._folder is not None else None
        sink = pa.OSFile(str(path), "wb") if path is not None else pa.BufferOutputStream()
        self._open = _Segment(sink, pa.ipc.new_stream(sink, schema), schema, self.shape, path)
        return self._open

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._done.append(self._open)
            self._open = None


def rows_of(batch: pa.RecordBatch) -> list[Row]:
    """The rows of a batch that was written here."""
    import pyarrow as pa

    columns = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if array.type == pa.json_():
            texts = array.storage.to_pylist()
            columns[name] = [None if text is None else json.loads(text) for text in texts]
        else:
            columns[name] = array.to_pylist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _types(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in schema]
