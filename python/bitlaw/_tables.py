"""Tables of runs: data frames, dicts of arrays, and files."""

from __future__ import annotations

import datetime
import decimal
import fractions
import gzip
import io
import json
import numbers
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ._ask import Error, article
from ._frame import same_rows


@runtime_checkable
class ArrowStream(Protocol):
    """A data frame of pandas, polars, duckdb, pyarrow, or another library with the Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class Readable(Protocol):
    """An open file."""

    def read(self) -> Any: ...


TableLike: TypeAlias = (
    ArrowStream | Mapping[str, Any] | Sequence[Mapping[str, Any]] | NDArray[Any] | Readable | str | os.PathLike[str]
)
# float64 or int64, a list of texts and numbers, or None for what has neither.
Column: TypeAlias = tuple[str, Any]


class Table:
    """A table as the core takes it: text, columns, a data frame with the Arrow stream, or a directory of runs."""

    def __init__(self, name: str, text: str | None = None, columns: list[Column] | None = None,
                 frame: Any = None, runs: bool = False) -> None:
        self.name = name
        self.text = text
        self.columns = columns
        self.frame = frame
        self.runs = runs  # `name` is a directory of runs
        # A reader of record batches gives its rows once. Other frames give them as often as asked.
        self.once: bool = frame is not None and hasattr(frame, "read_next_batch")
        self.used: bool = False

    def content(self) -> object | None:
        """Columns, a stream, or None for text."""
        if self.frame is None:
            return self.columns
        if self.once and self.used:
            raise Error("the stream of rows was read already, and gives them once; give the rows again, "
                        "or the whole table (reader.read_all())")
        self.used = True
        try:
            stream: object = self.frame.__arrow_c_stream__()
            return stream
        except Exception as error:  # of any library
            raise Error(f"the data frame cannot be read: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


# ---- columns ----

_LEFT_OUT = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64, Mapping, list,
             tuple, set, bytes, np.ndarray, complex)


def _item(value: Any) -> Any:
    """Text, a number, or None where there is none. Raises TypeError for anything else."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, np.generic) and not isinstance(value, _LEFT_OUT):
        value = value.item()
        if isinstance(value, (str, bool, int, float)):
            return value
    kind = type(value).__name__
    if kind in ("NAType", "NaTType"):
        return None
    if isinstance(value, (decimal.Decimal, fractions.Fraction, numbers.Real)) and not isinstance(value, _LEFT_OUT):
        return float(value)
    raise TypeError(kind)


def _of_array(values: np.ndarray[Any, Any], name: str) -> Any:
    if values.ndim != 1:
        raise Error(f"the column {name} has {values.ndim} dimensions; a column has one")
    kind = values.dtype.kind
    if kind == "i" or kind == "b" or (kind == "u" and values.dtype.itemsize < 8):
        return np.ascontiguousarray(values, dtype=np.int64)
    if kind in "fu":
        return np.ascontiguousarray(values, dtype=np.float64)
    if kind == "V" and values.dtype.names is None and values.dtype.itemsize <= 2:  # bfloat16 of ml_dtypes
        return np.ascontiguousarray(values.astype(np.float32), dtype=np.float64)
    if kind in "OU":
        return _of_list(values.tolist())
    return None  # dates, bytes, complex numbers, records


def _of_list(values: Iterable[Any]) -> list[Any] | None:
    try:
        return [_item(value) for value in values]
    except TypeError:
        return None


def _column(name: str, values: Any) -> Any:
    """As Column has it; a single value stays one."""
    if hasattr(values, "detach"):  # torch
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):
            values = values.float()
        values = values.numpy()
    if hasattr(values, "to_pylist"):  # pyarrow
        values = values.to_pylist()
    elif hasattr(values, "to_numpy"):  # pandas, polars
        values = values.to_numpy()
    if isinstance(values, np.ma.MaskedArray) and values.ndim == 1:
        values = values.tolist()  # None where masked
    if isinstance(values, np.ndarray):
        return values.item() if values.ndim == 0 else _of_array(values, name)
    if isinstance(values, (list, tuple, range)):
        return _of_list(values)
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        try:
            return _item(values)
        except TypeError:
            raise Error(f"the column {name} is {article(values)}; a list or an array of numbers or text "
                        "is expected") from None
    if hasattr(values, "__array__"):
        return _of_array(np.asarray(values), name)
    if not isinstance(values, Sequence):
        raise Error(f"the column {name} is {article(values)}, which can be read once; give a list")
    return _of_list(values)


def columns_of(columns: Iterable[tuple[Any, Any]]) -> list[Column]:
    """Columns of equal length; a single value is that of every row."""
    made = [(str(name), _column(str(name), values)) for name, values in columns]
    seen: set[str] = set()
    for name, _ in made:
        if name in seen:
            raise Error(f"the table has two columns with the name {name}; rename one")
        seen.add(name)
    if not made:
        raise Error("the table has no columns; N, D and loss are needed")
    sizes = {name: len(values) for name, values in made if isinstance(values, (list, np.ndarray))}
    longest = max(sizes.values(), default=1)
    for name, size in sizes.items():
        if size != longest:
            raise Error(f"the column {name} has {size} values, and others have {longest}")
    single = (str, bool, int, float)
    return [(name, [values] * longest if isinstance(values, single) else values) for name, values in made]


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return columns_of((name, [row.get(name) for row in rows]) for name in names)


def _of_pandas(frame: Any) -> list[Column]:
    named = [name for name in frame.index.names if name is not None]
    if any(name in frame.columns for name in named):
        named = []
    if named:
        frame = frame.reset_index()
    return columns_of((name, frame.iloc[:, place]) for place, name in enumerate(frame.columns))


# ---- files ----


def _decoded(data: bytes, name: str) -> str:
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise Error(f"{name}: is a damaged gzip file: {_first_line(error)}") from None
    if data[:4] == b"\x28\xb5\x2f\xfd":
        raise Error(f"{name}: is compressed with zstd; decompress it, or compress it with gzip")
    if data[:4] == b"PAR1":
        raise Error(f"{name}: is a Parquet file; read it with pandas or polars, and give the data frame")
    if data[:4] == b"PK\x03\x04":
        raise Error(f"{name}: is a workbook or an archive; save the table as CSV")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise Error(f"{name}: is not a text file; save the table as CSV or JSON") from None


def _file(path: str | os.PathLike[str]) -> Table:
    given = os.fspath(path)
    if isinstance(given, bytes):
        given = os.fsdecode(given)
    if "\n" in given:
        raise Error("the text of a table is given where a path is expected; wrap it: io.StringIO(text)")
    try:
        return Table(given, _decoded(Path(given).expanduser().read_bytes(), given))
    except IsADirectoryError:
        return Table(str(Path(given).expanduser()), runs=True)
    except (OSError, ValueError) as error:
        if isinstance(error, Error):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _first_line(error)
        raise Error(f"{path}: cannot be read: {reason}") from None


def _open_file(file: Readable) -> Table:
    name = getattr(file, "name", None)
    name = name if isinstance(name, str) else "table"
    try:
        data = file.read()
    except (OSError, ValueError) as error:
        raise Error(f"{name}: cannot be read: {_first_line(error)}") from None
    if isinstance(data, bytes):
        data = _decoded(data, name)
    if not isinstance(data, str):
        raise Error(f"{name}: gives a {type(data).__name__} rather than text")
    return Table(name, data)


def table_of(data: TableLike, name: str = "table") -> Table:
    """Reads `data`. Raises Error where it is no table."""
    given: Any = data
    if isinstance(given, Table):
        return given
    if isinstance(given, (str, os.PathLike)):
        return _file(given)
    if isinstance(given, Mapping):
        same_rows(given.items())
        return Table(name, columns=columns_of(given.items()))
    module = type(given).__module__.partition(".")[0]
    if module == "pandas" and hasattr(given, "columns"):
        return Table(name, columns=_of_pandas(given))
    if hasattr(given, "__arrow_c_stream__"):
        return Table(name, frame=given)
    if isinstance(given, np.ndarray) and given.dtype.names is not None:
        return Table(name, columns=columns_of((each, given[each]) for each in given.dtype.names))
    if isinstance(given, np.ndarray):
        raise Error("an array has no names of columns; give a dict of arrays, {'N': ..., 'D': ..., 'loss': ...}")
    if isinstance(given, (io.IOBase, Readable)):
        return _open_file(given)
    if isinstance(given, Sequence) and not isinstance(given, bytes) and all(isinstance(row, Mapping) for row in given):
        if not given:
            raise Error("the table has no rows: the list is empty")
        return Table(name, columns=_of_rows(given))
    kind = type(given).__name__
    if module == "polars" and hasattr(given, "collect"):
        raise Error(f"a {kind} is not computed yet; give frame.collect()")
    if hasattr(given, "__next__"):
        raise Error(f"a {kind} gives its rows once; give list(rows)")
    listed: Any = getattr(given, "items", None)
    if listed is not None and hasattr(given, "columns"):
        return Table(name, columns=columns_of(listed()))
    raise Error(f"{article(given)} is no table; give a data frame, a dict of arrays, or the path of a CSV")


def as_text(data: TableLike, name: str) -> tuple[str, str]:
    """The text of a table, and its name: where a question takes several tables."""
    table = table_of(data, name)
    if table.text is not None:
        return table.text, table.name
    if table.columns is None:
        raise Error(f"{name}: give a dict of arrays, a list of dicts or the path of a CSV")
    lists = {each: values.tolist() if isinstance(values, np.ndarray) else values for each, values in table.columns
             if values is not None}
    rows = [
        {each: value for each, value in zip(lists, row, strict=True) if value is not None and value == value}
        for row in zip(*lists.values(), strict=True)
    ]
    return json.dumps(rows), table.name
