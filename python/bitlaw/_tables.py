"""Tables of runs: data frames, dicts of arrays, and files."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable


@runtime_checkable
class ArrowStream(Protocol):
    """A data frame of pandas, polars, duckdb, pyarrow, or another library with the Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


TableLike: TypeAlias = (
    ArrowStream | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | os.PathLike[str]
)


@dataclass
class Table:
    """A table as the core takes it: text, or a stream that is read once."""

    name: str
    text: str | None = None
    format: str = "auto"
    frame: Any = None
    runs: bool = False  # `name` is a directory of runs

    def stream(self) -> object | None:
        return None if self.frame is None else self.frame.__arrow_c_stream__()


def _listed(values: Any) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    return list(values) if isinstance(values, (list, tuple, range)) else [values]


def _json_of(columns: Mapping[str, Any]) -> str:
    from ._ask import Error, plain

    lists = {str(name): plain(_listed(values)) for name, values in columns.items()}
    longest = max((len(values) for values in lists.values()), default=0)
    for name, values in lists.items():
        if len(values) == 1 and longest > 1:
            lists[name] = values * longest
        elif len(values) != longest:
            raise Error(f"the column {name} has {len(values)} values, and others have {longest}")
    names = list(lists)
    return json.dumps([dict(zip(names, row, strict=True)) for row in zip(*lists.values(), strict=True)])


def _file(path: Path) -> Table:
    from ._ask import Error

    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return Table(str(path), data.decode("utf-8-sig"))
    except IsADirectoryError:
        return Table(str(path), runs=True)
    except UnicodeDecodeError:
        raise Error(f"{path}: is not a text file; save the table as CSV or JSON") from None
    except OSError as error:
        raise Error(f"{path}: cannot be read: {error.strerror or error}") from None


def table_of(data: TableLike) -> Table:
    """Reads `data`. Raises Error where it is no table."""
    from ._ask import Error, plain

    if isinstance(data, (str, os.PathLike)):
        return _file(Path(data))
    if isinstance(data, Mapping):
        return Table("table", _json_of(data), "json")
    if isinstance(data, ArrowStream):
        try:
            data.__arrow_c_stream__()  # pandas needs pyarrow for it
            return Table("table", frame=data)
        except ImportError:
            items = getattr(data, "items", None)
            if items is None:
                raise
            return Table("table", _json_of(dict(items())), "json")
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        return Table("table", json.dumps(plain(list(data))), "json")
    raise Error(
        f"a {type(data).__name__} is no table; give a data frame, a dict of arrays, or the path of a CSV"
    )
