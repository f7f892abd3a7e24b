"""Every way to hold a table in memory gives the same fit, or one sentence."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="session")
def study() -> bitlaw.Frame:
    return bitlaw.simulate("chinchilla", noise=1e-3)


@pytest.fixture(scope="session")
def base(study: bitlaw.Frame) -> Columns:
    return {name: study[name] for name in ("N", "D", "loss")}


def alpha(data: Any, **options: Any) -> float:
    fit = bitlaw.fit(data, "chinchilla", draws=0, starts=4, hold_out=False, **options)
    assert fit.points == 20
    value = fit.parameters["alpha"].value
    assert value is not None
    return value


@pytest.fixture(scope="session")
def expected(base: Columns) -> float:
    return alpha(base)


DATES = [datetime.date(2024, 1, 1)] * 20
PANDAS: dict[str, Callable[[Any, Any], Any]] = {
    "floats": lambda pd, df: df,
    "nullable": lambda pd, df: df.astype({"N": "Int64"}),
    "all missing": lambda pd, df: df.assign(P_w=pd.array([None] * 20, dtype="Float64")),
    "categories of numbers": lambda pd, df: df.assign(N=pd.Categorical(df.N)),
    "texts": lambda pd, df: df.assign(N=df.N.astype(str)),
    "decimals": lambda pd, df: df.assign(N=[decimal.Decimal(int(value)) for value in df.N]),
    "mixed objects": lambda pd, df: df.assign(x=["a", 1, None, 2.5] * 5),
    "index": lambda pd, df: df.set_index("N"),
    "several indices": lambda pd, df: df.set_index(["N", "D"]),
    "index of other rows": lambda pd, df: df.set_axis(range(7, 27)),
    "arrow types": lambda pd, df: df.convert_dtypes(dtype_backend="pyarrow"),
    "datetimes": lambda pd, df: df.assign(when=pd.Timestamp("2024-01-01")),
    "lists": lambda pd, df: df.assign(x=[[1, 2]] * 20),
    "names": lambda pd, df: df.assign(**{"größe 🙂": 1.0}),
}


@pytest.mark.parametrize("kind", PANDAS)
def test_pandas(kind: str, base: Columns, expected: float) -> None:
    pd = pytest.importorskip("pandas")
    if kind == "arrow types":
        pytest.importorskip("pyarrow")
    assert alpha(PANDAS[kind](pd, pd.DataFrame(base))) == expected


def test_polars(base: Columns, expected: float) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(base)
    assert alpha(frame) == expected
    more = frame.with_columns(
        pl.lit("x").cast(pl.Categorical).alias("kind"), pl.lit(DATES[0]).alias("day"), pl.struct("N").alias("s"),
        pl.col("N").cast(pl.Decimal(38, 2)), pl.lit([1]).alias("l"),
    )
    assert alpha(more) == expected
    with pytest.raises(bitlaw.Error, match=r"a LazyFrame is not computed yet; give frame.collect\(\)"):
        bitlaw.fit(frame.lazy())


def test_arrow(base: Columns, expected: float) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(base)
    decimals = [decimal.Decimal(int(value)) for value in base["N"]]
    for each in (
        table,
        table.to_batches()[0],
        table.to_reader(),
        pa.concat_tables([table.slice(0, 7), table.slice(7)]),
        table.append_column("x", pa.array(["a", None] * 10).dictionary_encode()),
        table.append_column("x", pa.array([True, None] * 10)).append_column("n", pa.nulls(20)),
        table.append_column("x", pa.array(np.ones(20, np.float16))),
        table.set_column(0, "N", pa.array(decimals, pa.decimal128(30, 4))),
    ):
        assert alpha(each) == expected
    with pytest.raises(bitlaw.Error, match="two columns with the name N"):
        bitlaw.fit(table.append_column("N", table["N"]))


def test_decimals_of_either_sign_are_read_to_the_last_bit() -> None:
    pa = pytest.importorskip("pyarrow")
    values = [decimal.Decimal(text) for text in ("-1.25", "0.50", "-12345678901234567890.25", "3.00")]
    column = pa.array(values, pa.decimal128(38, 2))
    rows = {"N": [1e9] * 4, "D": [2e10] * 4, "loss": [2.0] * 4}
    found = bitlaw.predict(pa.table({**rows, "delta": column, "P_post": [4.0] * 4}), "kumar").frame()
    assert list(found["delta"]) == [float(value) for value in values]


def test_a_stream_is_read_once(base: Columns) -> None:
    pa = pytest.importorskip("pyarrow")
    reader = pa.table(base).to_reader()
    fit = bitlaw.fit(reader, "chinchilla", draws=0)
    with pytest.raises(bitlaw.Error, match="the stream of rows was read already"):
        fit.residuals()
    with pytest.raises(bitlaw.Error, match="a stream gives its rows once"):
        bitlaw.fit(reader, "chinchilla", draws=0)
    assert len(fit.residuals(base)) == 20


def test_duckdb(base: Columns, expected: float) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    connection = duckdb.connect()
    connection.register("runs", pd.DataFrame(base))
    relation = connection.sql("select * from runs")
    assert alpha(relation) == alpha(relation) == expected


def test_arrays(base: Columns, study: bitlaw.Frame, expected: float) -> None:
    records = np.zeros(20, dtype=[("N", float), ("D", float), ("loss", float)])
    for name, values in base.items():
        records[name] = values
    half = {**base, "x": np.ones(20, np.float16), "date": np.array(DATES, dtype="datetime64[D]")}
    rows: list[dict[str, Any]] = list(study.rows())
    for data in (records, half, {**base, "x": 1}, study, rows, [{**row, "config": {"a": 1}} for row in rows]):
        assert alpha(data) == expected


def test_torch(base: Columns, expected: float) -> None:
    torch = pytest.importorskip("torch")
    tensors: dict[str, Any] = {name: torch.tensor(values) for name, values in base.items()}
    tensors["x"] = torch.ones(20, dtype=torch.bfloat16, requires_grad=True)
    assert alpha(tensors) == expected


def test_files(study: bitlaw.Frame, expected: float, tmp_path: Path) -> None:
    study.to_csv(tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    rows = list(study.rows())
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "t.tsv").write_text(text.replace(",", "\t"))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "wide.csv").write_text(text, encoding="utf-16")
    for path in sorted(tmp_path.iterdir()):
        assert alpha(path) == alpha(str(path)) == expected, path
        with path.open("rb") as file:
            assert alpha(file) == expected, path
    assert alpha(io.StringIO(text)) == expected


def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(gzip.compress(b"N,D,loss\n" * 100)[:20])
    return path


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda base, tmp: {**base, "N": DATES}, "no column N .*the column N was left out: it has neither numbers nor text"),
    (lambda base, tmp: {**base, "x": np.ones((20, 2))}, "the column x has 2 dimensions"),
    (lambda base, tmp: {**base, "x": [1.0]}, "the column x has 1 values, and others have 20"),
    (lambda base, tmp: {**base, "x": (1 for _ in range(20))}, "the column x is a generator"),
    (lambda base, tmp: {"N": base["N"], "D": base["D"]}, "no column loss"),
    (lambda base, tmp: {**base, "loss": [np.inf, *base["loss"][1:]]}, "row 1, column loss: inf is not finite"),
    (lambda base, tmp: {**base, "loss": [np.nan, *base["loss"][1:]]}, "row 1, column loss: an empty field"),
    (lambda base, tmp: {name: [] for name in base}, "no row"),
    (lambda base, tmp: {}, "no columns"),
    (lambda base, tmp: [], "no rows"),
    (lambda base, tmp: (row for row in [{"N": 1}]), r"a generator gives its rows once; give list\(rows\)"),
    (lambda base, tmp: np.zeros((3, 3)), "an array has no names"),
    (lambda base, tmp: 7, "an int is no table"),
    (lambda base, tmp: None, "a NoneType is no table"),
    (lambda base, tmp: b"N,D", "a bytes is no table"),
    (lambda base, tmp: "N,D,loss\n1,2,3\n", "io.StringIO"),
    (lambda base, tmp: tmp, "is a directory without runs"),
    (lambda base, tmp: tmp / "none.csv", "none.csv: cannot be read: No such file"),
    (lambda base, tmp: broken(tmp), "is a damaged gzip file"),
])
def test_what_is_no_table_is_one_sentence(
    make: Callable[[Columns, Path], Any], sentence: str, base: Columns, tmp_path: Path
) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        bitlaw.fit(make(base, tmp_path), "chinchilla", draws=0)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_are_refused(base: Columns) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(base)
    with pytest.raises(bitlaw.Error, match="two columns with the name N"):
        bitlaw.fit(pd.concat([frame, frame[["N"]]], axis=1))


def test_predictions_of_many_rows_are_those_of_the_formula() -> None:
    constants = bitlaw.published("chinchilla").parameters
    generator = np.random.default_rng(0)
    size, tokens = 10 ** generator.uniform(7, 9, 5000), 10 ** generator.uniform(9, 11, 5000)
    loss = constants["E"] + constants["A"] / size ** constants["alpha"] + constants["B"] / tokens ** constants["beta"]
    np.testing.assert_allclose(bitlaw.predict({"N": size, "D": tokens}, "chinchilla").loss, loss, rtol=1e-13)


def test_masked_values_are_missing(base: Columns) -> None:
    hidden = np.arange(20) < 3
    loss = np.ma.MaskedArray(np.where(hidden, 9.0, base["loss"]), hidden)
    with pytest.raises(bitlaw.Error, match="an empty field is not a number"):
        alpha({**base, "loss": loss})
    fit = bitlaw.fit({**base, "loss": loss}, "chinchilla", where="loss!=", draws=0, starts=4, hold_out=False)
    seen = bitlaw.fit({name: values[3:] for name, values in base.items()}, "chinchilla", draws=0, starts=4,
                      hold_out=False)
    assert fit.points == 17 and fit.parameters == seen.parameters
    assert np.isnan(bitlaw.Frame({"loss": loss})["loss"]).tolist() == hidden.tolist()


def test_series_of_different_indexes_are_refused(base: Columns) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(base)
    assert alpha({name: frame[name] for name in frame}) == alpha(base)
    mixed = {"N": frame["N"], "D": frame["D"].sort_values(), "loss": frame["loss"]}
    with pytest.raises(bitlaw.Error, match="the columns N and D have different indexes"):
        alpha(mixed)
    with pytest.raises(bitlaw.Error, match="the columns N and D have different indexes"):
        bitlaw.Frame(mixed)


def test_text_that_is_not_unicode_is_refused(base: Columns) -> None:
    with pytest.raises(bitlaw.Error, match="row 1, column run has text that is not Unicode"):
        alpha({**base, "run": ["\ud800"] * 20})
    with pytest.raises(bitlaw.Error, match="the name of a column has text that is not Unicode"):
        alpha({**base, "\ud800": [1] * 20})
