"""Rows with named columns: what runs, residuals and drawn studies come as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _column(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """Numbers as float64 with NaN where there is none; else objects."""
    if isinstance(values, np.ndarray):
        return values
    if all(value is None or isinstance(value, (bool, int, float)) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=float)
    return np.array(values, dtype=object)


class Frame:
    """Rows with named columns. `frame["loss"]` is an array; a missing number is NaN, a missing text None.

    Data frames are made of it without copies of one's own: `frame.to_pandas()`, `polars.DataFrame(frame)`,
    or whatever reads the Arrow stream.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
        self._columns = {name: _column(values) for name, values in columns.items()}
        if len({len(values) for values in self._columns.values()}) > 1:
            raise ValueError("columns of one frame have different lengths")

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Columns in the order in which the rows name them first."""
        names = dict.fromkeys(name for row in rows for name in row)
        return cls({name: [row.get(name) for row in rows] for name in names})

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        for index in range(len(self)):
            yield {name: values[index] for name, values in self._columns.items()}

    def to_dict(self) -> dict[str, NDArray[Any]]:
        return dict(self._columns)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame."""
        import pandas

        return pandas.DataFrame(self._columns)

    def __repr__(self) -> str:
        return f"<bitlaw.Frame of {len(self)} rows: {', '.join(self.columns)}>"

    def _repr_html_(self, most: int = 20) -> str:
        def cell(value: Any) -> str:
            if value is None or (isinstance(value, float) and np.isnan(value)):
                return ""
            return escape(f"{value:.6g}" if isinstance(value, float) else str(value))

        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row.values()) + "</tr>"
            for _, row in zip(range(most), self.rows(), strict=False)
        )
        rest = f"<p>{len(self) - most} more rows</p>" if len(self) > most else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
