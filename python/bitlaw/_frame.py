"""Rows with named columns: what runs, residuals and drawn studies come as."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._ask import Error, article

_EXACT = 2**53  # whole numbers up to here are exact as float64


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def _is_flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not _is_flag(value)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, (float, np.floating))


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = [None if _missing(value) else value for value in values]
    return out


def _reals(values: Sequence[Any]) -> NDArray[Any]:
    return np.array([np.nan if _missing(value) else value for value in values], dtype=float)


def _of_list(values: Sequence[Any]) -> tuple[NDArray[Any], str]:
    """As an array, and what it has: "real", "whole", "flag", "text", or "" for anything else."""
    there = [value for value in values if not _missing(value)]
    gaps = len(there) < len(values)
    if there and all(map(_is_flag, there)):
        return (_objects(values) if gaps else np.array(values, dtype=bool)), "flag"
    if there and all(map(_is_whole, there)) and all(-(2**63) <= value < 2**63 for value in there):
        if not gaps:
            return np.array(values, dtype=np.int64), "whole"
        exact = all(abs(int(value)) <= _EXACT for value in there)
        return (_reals(values) if exact else _objects(values)), "whole"
    if all(map(_is_number, there)) and all(isinstance(value, float) or abs(int(value)) <= _EXACT for value in there):
        return _reals(values), "real"
    return _objects(values), "text" if all(isinstance(value, str) for value in there) else ""


def _of_array(values: NDArray[Any]) -> tuple[NDArray[Any], str]:
    kind = values.dtype.kind
    if kind == "f":
        return values.astype(np.float64, copy=False), "real"
    if kind == "b":
        return values, "flag"
    if kind == "i" or (kind == "u" and (len(values) == 0 or values.max() < 2**63)):
        return values.astype(np.int64, copy=False), "whole"
    if kind == "O" and all(value is None for value in values):
        return values, "text"
    return _of_list(values.tolist()) if kind in "uOU" else (values, "")


def same_rows(columns: Iterable[tuple[Any, Any]]) -> None:
    """Error where Series of pandas have different indexes: their values would be paired by position alone."""
    first: Any = None
    for name, values in columns:
        index: Any = getattr(values, "index", None)
        if not hasattr(index, "equals"):
            continue
        if first is None:
            first = name, index
        elif len(index) == len(first[1]) and not first[1].equals(index):
            raise Error(f"the columns {first[0]} and {name} have different indexes, so their rows may not belong "
                        "together; put them into one data frame, or give their values with .to_numpy()")


def _column(name: str, values: Any) -> tuple[NDArray[Any], str]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise Error(f"the column {name} is {article(values)}; a list or an array of values is expected")
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, np.ma.MaskedArray) and values.ndim == 1:
        values = values.tolist()  # None where it is masked
    if not isinstance(values, np.ndarray):
        return _of_list(list(values))
    if values.ndim != 1:
        raise Error(f"the column {name} has {values.ndim} dimensions; a column has one")
    return _of_array(values)


def _of_module(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise Error(f"{name} is not installed; `pip install {name}`") from None


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Writes a file at once: a reader sees the old one or the new one, never a part. A link stays a link; a pipe
    or a device, such as /dev/stdout, is written to, not replaced."""
    place = Path(path)
    half = None
    try:
        if place.exists() and not place.is_file() and not place.is_dir():
            with place.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
            return
        place = Path(os.path.realpath(place))
        half = place.with_name(f"{place.name}.{os.getpid()}.tmp")
        half.write_text(text, encoding="utf-8", newline="")
        half.replace(place)
    except OSError as error:
        if half is not None:
            half.unlink(missing_ok=True)
        raise Error(f"{path}: cannot be written: {error.strerror or error}") from None


class Frame:
    """Rows with named columns: runs, residuals, drawn studies.

    columns: by name, lists or one-dimensional arrays of equal length.
    notes: what the reader should know of them, such as runs that could not be read.

    `frame["loss"]` is a numpy array of float64, int64, bool, or of objects for text. A missing number is
    NaN and a missing text None; a column of whole numbers with gaps is float64. Through the Arrow stream
    missing values are null, and whole numbers stay whole, so `polars.DataFrame(frame)`,
    `pyarrow.table(frame)`, `pandas.DataFrame.from_arrow(frame)`, duckdb, and every function of this
    package that takes a table read it.

    Raises Error where columns have different lengths or more than one dimension.

    >>> import bitlaw
    >>> frame = bitlaw.Frame({"N": [1e6, 2e6], "seed": [1, None], "method": ["gptq", None]})
    >>> frame
    <bitlaw.Frame of 2 rows: N, seed, method>
    >>> frame["seed"]
    array([ 1., nan])
    >>> frame[frame["N"] > 1e6]["N"]
    array([2000000.])
    >>> list(frame.rows())[1]
    {'N': 2000000.0, 'seed': None, 'method': None}
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Any] | NDArray[Any]], notes: Sequence[str] = ()
    ) -> None:
        same_rows(columns.items())
        made = {str(name): _column(str(name), values) for name, values in columns.items()}
        self._columns = {name: values for name, (values, _) in made.items()}
        self._kinds = {name: kind for name, (_, kind) in made.items()}
        self.notes: list[str] = list(notes)
        sizes = {name: len(values) for name, values in self._columns.items()}
        for name, size in sizes.items():
            first = next(iter(sizes))
            if size != sizes[first]:
                raise Error(f"the column {name} has {size} values, and {first} has {sizes[first]}")

    @classmethod
    def _of_typed(cls, columns: Sequence[tuple[str, str, list[Any]]], notes: Sequence[str]) -> Frame:
        """Of columns whose types are known, even if no row has a value: (name, kind, values)."""
        out = cls({}, notes)
        for name, kind, values in columns:
            if kind == "text":
                array = _objects(values)
            elif kind == "whole" and not values:
                array = np.array([], dtype=np.int64)
            else:
                array = _of_list(values)[0]
            out._columns[name], out._kinds[name] = array, kind
        return out

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> Frame:
        """Of dictionaries, a row each: the columns are in the order in which the rows name them first.

        >>> import bitlaw
        >>> bitlaw.Frame.of_rows([{"N": 1}, {"N": 2, "D": 3}])["D"]
        array([nan,  3.])
        """
        names = dict.fromkeys(name for row in rows for name in row)
        return cls({name: [row.get(name) for row in rows] for name in names}, notes)

    @property
    def columns(self) -> list[str]:
        """The names, in order."""
        return list(self._columns)

    def keys(self) -> list[str]:
        """The names, in order: `dict(frame)` is a dictionary of arrays."""
        return list(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    @overload
    def __getitem__(self, key: str) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: slice | list[str] | list[bool] | NDArray[Any]) -> Frame: ...
    def __getitem__(self, key: str | slice | list[str] | list[bool] | NDArray[Any]) -> NDArray[Any] | Frame:
        """A column by its name; columns by a list of names; rows by a slice, a mask or row numbers."""
        if isinstance(key, str):
            return self._named(key)
        if isinstance(key, list) and all(isinstance(each, str) for each in key):
            return self._with({str(name): self._named(str(name)) for name in key})
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.ndim != 1 or key.dtype.kind not in "bi":
                raise Error("a frame is indexed by a column's name, a list of names, a slice, a mask or row numbers")
            if key.dtype.kind == "b" and len(key) != len(self):
                raise Error(f"the mask has {len(key)} values, and the frame {len(self)} rows")
        try:
            return self._with({name: values[key] for name, values in self._columns.items()})
        except IndexError:
            raise Error(f"the frame has {len(self)} rows, and a row number lies beyond them") from None

    def _named(self, name: str) -> NDArray[Any]:
        if name not in self._columns:
            import difflib

            near = difflib.get_close_matches(name, self._columns, 1)
            meant = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self._columns) or 'none'}"
            raise Error(f"the frame has no column {name}; {meant}")
        return self._columns[name]

    def _with(self, columns: dict[str, NDArray[Any]]) -> Frame:
        out = Frame({}, self.notes)
        out._columns = columns
        out._kinds = {name: self._kinds[name] for name in columns}
        return out

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        """Rows."""
        return len(next(iter(self._columns.values()), ()))

    def _values(self, name: str) -> list[Any]:
        """Of a column, as Python's own; None where one is missing."""
        values: list[Any] = self._columns[name].tolist()
        if self._columns[name].dtype.kind not in "fO":
            return values
        whole = self._kinds[name] == "whole"
        return [None if _missing(value) else int(value) if whole else value for value in values]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary of Python's own numbers and texts; None where a value is missing."""
        lists = [self._values(name) for name in self._columns]
        for row in zip(*lists, strict=True):
            yield dict(zip(self._columns, row, strict=True))

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """The columns as arrays, without a copy."""
        return dict(self._columns)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame; missing numbers are NaN. Raises Error where pandas is not installed."""
        return _of_module("pandas").DataFrame(self._columns)

    def to_polars(self) -> Any:
        """A polars.DataFrame; missing values are null. Raises Error where polars is not installed."""
        return _of_module("polars").DataFrame(self)

    def _csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self._columns)
        for row in self.rows():
            writer.writerow([
                "" if value is None else str(value).lower() if isinstance(value, bool) else value
                for value in row.values()
            ])
        return out.getvalue()

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes a CSV file with a header, at once; a missing value is an empty field, numbers keep every
        digit. Raises Error where the file cannot be written."""
        write_whole(path, self._csv())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """The Arrow stream of one batch: float64, int64, bool and large_utf8, with nulls.

        Raises Error for a column that has other values, or values of several types.
        """
        columns = [(name, *self._exported(name, values)) for name, values in self._columns.items()]
        return _core.stream_of(columns, len(self))

    def _exported(self, name: str, values: NDArray[Any]) -> tuple[NDArray[np.bool_] | None, Any]:
        kind = self._kinds[name]
        if kind == "real":
            return ~np.isnan(values), np.ascontiguousarray(values)
        if kind == "whole" and values.dtype.kind == "f":
            there = ~np.isnan(values)
            return there, np.where(there, values, 0).astype(np.int64)
        if kind in ("whole", "flag") and values.dtype.kind in "ib":
            return None, np.ascontiguousarray(values)
        listed = self._values(name)
        there = np.array([value is not None for value in listed], dtype=bool)
        if kind == "text":
            return there, listed
        if kind:
            dtype = np.int64 if kind == "whole" else np.bool_
            return there, np.array([value or 0 for value in listed], dtype=dtype)
        types = sorted({type(value).__name__ for value in listed if value is not None})
        raise Error(f"the column {name} has values of type {' and '.join(types)}; a data frame takes numbers "
                    "or text in a column")

    def __repr__(self) -> str:
        names = self.columns
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more columns" if len(names) > 12 else "")
        rows = f"{len(self)} row{'' if len(self) == 1 else 's'}"
        return f"<bitlaw.Frame of {rows}: {shown}>" if names else f"<bitlaw.Frame of {rows}>"

    def _repr_html_(self, most_rows: int = 20, most_columns: int = 16) -> str:
        """For a notebook: the first rows, and the first columns that have a value."""
        def cell(value: Any) -> str:
            if value is None:
                return ""
            return escape(f"{value:.6g}" if isinstance(value, float) else str(value))

        used = {name: self._values(name) for name in self._columns}
        used = {name: values for name, values in used.items()
                if not values or any(value is not None for value in values)}
        shown = dict(list(used.items())[:most_columns])
        head = "".join(f"<th>{escape(name)}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell(values[row])}</td>" for values in shown.values()) + "</tr>"
            for row in range(min(most_rows, len(self)))
        )
        rest = [f"{len(self) - most_rows} more rows"] if len(self) > most_rows else []
        if len(self._columns) > len(shown):
            rest.append(f"{len(self._columns) - len(shown)} more columns")
        more = f"<p>{', '.join(rest)}</p>" if rest else ""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
                + (f"<ul>{notes}</ul>" if notes else ""))
