"""A Frame is a table to every library, with the same values, and none of it leaks."""

from __future__ import annotations

import csv
import doctest
import gc
import math
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import bitlaw._frame
import numpy as np
import pytest

COLUMNS: dict[str, list[Any]] = {
    "real": [1.5, None, math.inf, 1e-300],
    "gaps": [1, None, 3, 2**53],
    "whole": [1, 2, 3, 2**63 - 1],
    "large": [2**62 + 1, None, 5, -(2**62)],
    "flag": [True, False, True, True],
    "maybe": [True, None, False, True],
    "text": ["ä", None, "", "a,\"b\"\nc"],
    "none": [None] * 4,
}


@pytest.fixture
def frame() -> bitlaw.Frame:
    return bitlaw.Frame(COLUMNS, ["a note <b>"])


def test_arrays_have_types(frame: bitlaw.Frame) -> None:
    kinds = {name: frame[name].dtype.kind for name in frame}
    assert kinds == {"real": "f", "gaps": "f", "whole": "i", "large": "O", "flag": "b", "maybe": "O",
                     "text": "O", "none": "f"}
    assert math.isnan(frame["gaps"][1]) and frame["text"][1] is None
    assert [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)] == list(frame.rows())


def test_nan_and_none_are_both_missing() -> None:
    made = bitlaw.Frame({"x": [math.nan, 1], "t": [math.nan, "a"], "y": np.array([np.nan, 1])})
    assert list(made.rows()) == [{"x": None, "t": None, "y": None}, {"x": 1, "t": "a", "y": 1.0}]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64", "uint64", "bool", "U3"])
def test_arrays_keep_their_values(dtype: str) -> None:
    values = np.array([1, 0, 1]).astype(dtype)
    assert bitlaw.Frame({"x": values})["x"].tolist() == values.tolist()


@pytest.mark.parametrize("part", [slice(None), slice(1, 3), slice(0, 0), slice(None, None, -1)])
def test_polars_and_pyarrow_read_every_type(part: slice, frame: bitlaw.Frame) -> None:
    pa = pytest.importorskip("pyarrow")
    polars = pytest.importorskip("polars")
    expected = {name: values[part] for name, values in COLUMNS.items()}
    taken = frame[part]
    table = pa.table(taken)
    table.validate(full=True)
    assert table.to_pydict() == expected
    assert polars.DataFrame(taken).to_dict(as_series=False) == taken.to_polars().to_dict(as_series=False) == expected
    types = {name: str(field) for name, field in zip(table.column_names, table.schema.types, strict=True)}
    assert types == {"real": "double", "gaps": "int64", "whole": "int64", "large": "int64", "flag": "bool",
                     "maybe": "bool", "text": "large_string", "none": "double"}


def test_pandas_and_duckdb_read_it(frame: bitlaw.Frame) -> None:
    pandas = pytest.importorskip("pandas")
    taken = frame.to_pandas()
    assert taken["real"].isna().tolist() == [False, True, False, False] and taken["whole"].tolist() == COLUMNS["whole"]
    if hasattr(pandas.DataFrame, "from_arrow"):
        assert pandas.DataFrame.from_arrow(frame)["text"].isna().tolist() == [False, True, False, False]
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql("select sum(gaps), count(text), min(real) from frame").fetchall() == [(4 + 2**53, 3, 1e-300)]


def test_a_frame_of_no_columns_and_of_no_rows(frame: bitlaw.Frame) -> None:
    pa = pytest.importorskip("pyarrow")
    assert pa.table(bitlaw.Frame({})).num_columns == 0 == len(bitlaw.Frame({}))
    assert pa.table(frame[:0]).num_rows == 0 == len(list(frame[:0].rows()))
    assert pa.table(bitlaw.Frame({"x": []})).num_rows == 0
    assert bitlaw.Frame.of_rows([]).columns == []


def test_many_rows_survive(frame: bitlaw.Frame) -> None:
    pa = pytest.importorskip("pyarrow")
    rows = 10_007
    values = [None if i % 3 == 0 else i for i in range(rows)]
    texts = [None if i % 7 == 0 else "x" * (i % 40) for i in range(rows)]
    large = bitlaw.Frame({"i": values, "t": texts, "b": [i % 5 == 0 for i in range(rows)]})
    table = pa.table(large)
    assert table.to_pydict() == {"i": values, "t": texts, "b": [i % 5 == 0 for i in range(rows)]}
    kept = table.column("t")  # outlives what it came in
    del table, large
    gc.collect()
    assert kept.to_pylist() == texts


def test_rows_are_chosen_by_slices_masks_and_numbers(frame: bitlaw.Frame) -> None:
    real = [COLUMNS["real"][i] for i in (0, 3)]
    assert frame[frame["real"] < 2]["real"].tolist() == real
    assert frame[[True, False, False, True]]["real"].tolist() == real
    assert frame[np.array([0, 3])]["real"].tolist() == real
    assert frame[::3]["real"].tolist() == real
    assert frame[["text", "real"]].columns == ["text", "real"]
    assert frame[1:].notes == frame.notes
    assert dict(frame).keys() == COLUMNS.keys()


def test_a_fit_of_a_frame_is_that_of_its_columns(columns: dict[str, list[Any]]) -> None:
    of_columns = bitlaw.fit(columns, "kumar", draws=0).document
    of_frame = bitlaw.fit(bitlaw.Frame(columns), "kumar", draws=0).document
    assert {**of_frame, "table": None} == {**of_columns, "table": None}


def test_a_csv_goes_into_a_pipe_and_through_a_link(tmp_path: Path) -> None:
    frame, pipe, file, link = bitlaw.Frame({"a": [1]}), tmp_path / "pipe", tmp_path / "file", tmp_path / "link"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    frame.to_csv(pipe)
    assert pipe.is_fifo() and os.read(reader, 100) == b"a\n1\n"  # a pipe or a device is not replaced by a file
    os.close(reader)
    file.touch()
    link.symlink_to(file)
    frame.to_csv(link)
    assert link.is_symlink() and file.read_text() == "a\n1\n"


def test_what_is_masked_is_missing() -> None:
    frame = bitlaw.Frame({"a": np.ma.masked_equal([1, 2], 2), "b": np.ma.masked_equal([0.5, 2.0], 2)})
    assert list(frame.rows()) == [{"a": 1, "b": 0.5}, {"a": None, "b": None}]


def test_a_csv_has_every_digit(frame: bitlaw.Frame, tmp_path: Path, columns: dict[str, list[Any]]) -> None:
    path = tmp_path / "frame.csv"
    frame.to_csv(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["ä", "", "", "a,\"b\"\nc"]
    assert [row["gaps"] for row in rows] == ["1", "", "3", str(2**53)]
    assert [float(row["real"]) for row in rows if row["real"]] == [1.5, math.inf, 1e-300]
    assert [row["maybe"] for row in rows] == ["true", "", "false", "true"]
    bitlaw.Frame(columns).to_csv(path)
    assert {**bitlaw.fit(path, "kumar", draws=0).document, "table": None} == {
        **bitlaw.fit(columns, "kumar", draws=0).document, "table": None}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(frame: bitlaw.Frame, tmp_path: Path) -> None:
    with pytest.raises(bitlaw.Error, match="cannot be written"):
        frame.to_csv(tmp_path / "nowhere" / "frame.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(bitlaw.Error, match="cannot be written"):
        frame.to_csv(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: bitlaw.Frame({"x": [1], "y": [1, 2]}), "the column y has 2 values, and x has 1"),
    (lambda: bitlaw.Frame({"x": np.zeros((2, 2))}), "the column x has 2 dimensions"),
    (lambda: bitlaw.Frame({"x": "abc"}), "the column x is a str"),
    (lambda: bitlaw.Frame({"loss": [1]})["los"], "did you mean 'loss'"),
    (lambda: bitlaw.Frame({"x": [1]})[np.array([True, False])], "the mask has 2 values, and the frame 1 rows"),
    (lambda: bitlaw.Frame({"x": [1]})[np.array([7])], "the frame has 1 rows"),
    (lambda: bitlaw.Frame({"x": [1]})[np.array([0.5])], "a frame is indexed by"),
    (lambda: bitlaw.Frame({"x": [1, "a"]}).__arrow_c_stream__(), "the column x has values of type int and str"),
    (lambda: bitlaw.Frame({"x": [[1]]}).__arrow_c_stream__(), "the column x has values of type list"),
    (lambda: bitlaw.Frame({"x": [2**70, 1]}).__arrow_c_stream__(), "the column x has values of type int"),
])
def test_what_is_wrong_is_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_notebook_shows_text_as_text(frame: bitlaw.Frame) -> None:
    shown = bitlaw.Frame({"<x>": ["<script>"] * 30}, ["<i>"])._repr_html_()
    assert "<script>" not in shown and "<x>" not in shown and "<i>" not in shown
    assert "&lt;script&gt;" in shown and "10 more rows" in shown
    wide = bitlaw.Frame({f"c{i}": [i] for i in range(40)} | {"empty": [None]})
    assert "25 more columns" in wide._repr_html_() and "28 more columns" not in wide._repr_html_()
    assert repr(wide).endswith("c11 and 29 more columns>")


def test_nothing_leaks() -> None:
    pa = pytest.importorskip("pyarrow")
    rows = 2_000  # 0.5 MB a stream
    frame = bitlaw.Frame({"x": np.arange(rows, dtype=float), "t": ["some text" * 25] * rows})
    sizes = []
    for _ in range(3):
        for _ in range(40):
            frame.__arrow_c_stream__()  # never read
            pa.table(frame)
            batches = pa.RecordBatchReader.from_stream(frame)
            batches.schema  # noqa: B018  read in part
            pa.table(frame).column("t")  # moved out
        gc.collect()
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert sizes[2] - sizes[1] < 5000, sizes  # kB; one stream in ten that leaks is 8,000


def test_examples() -> None:
    assert doctest.testmod(bitlaw._frame).failed == 0
