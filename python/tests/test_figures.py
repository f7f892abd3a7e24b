"""Reports are the program's, and matplotlib draws what the page draws."""

from __future__ import annotations

import gc
import html
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest
from bitlaw._frames import frame_of, frames_of, scale_of, short, tick_words, ticks_of

from conftest import PROGRAM

pytest.importorskip("matplotlib")

ROOT = Path(__file__).parent.parent.parent
LAWS = ["kumar", "chinchilla", "additive-exp"]


@pytest.fixture(scope="session")
def fit(table: Path) -> bitlaw.Fit:
    return bitlaw.fit(table, draws=20)


@pytest.fixture(scope="session")
def comparison(table: Path) -> bitlaw.Answer:
    return bitlaw.compare(table, LAWS)


@pytest.fixture(scope="session")
def report(table: Path, fit: bitlaw.Fit, comparison: bitlaw.Answer) -> bitlaw.Report:
    return bitlaw.report(table, fit, compare=comparison)


def cells_study() -> list[dict[str, Any]]:
    """Weights of several bits in training, each rounded to several afterwards: a heat map."""
    sizes, lengths = (3e7, 1e8, 2e8), (1.5e9, 6e9, 2.4e10)
    grid = [(n, d, w, p) for n in sizes for d in lengths for w in (3, 4, 8, 16) for p in (None, 3, 4, 5, 8)
            if p is None or p <= w]
    asked = {"N": [n for n, *_ in grid], "D": [d for _, d, *_ in grid], "P_w": [w for *_, w, _ in grid]}
    whole = bitlaw.predict(asked, "kumar").loss
    after = bitlaw.predict({**asked, "P_post": [p or 16 for *_, p in grid]}, "kumar").loss
    rows = []
    for i, (n, d, w, p) in enumerate(grid):
        noise = 1 + 1e-3 * math.sin(n + d * w)
        row: dict[str, Any] = {"run": f"{n}-{d}-{w}", "N": n, "D": d, "P_w": w, "P_a": 16, "P_kv": 16}
        if p is None:
            row["loss"] = whole[i] * noise
        else:
            row |= {"P_post": p, "method": "gptq", "delta": (after[i] - whole[i]) * noise, "standard_error": 2e-4}
        rows.append(row)
    keys = {key: None for row in rows for key in row}
    return [{key: row.get(key) for key in keys} for row in rows]


@pytest.fixture(scope="session")
def reports(report: bitlaw.Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bitlaw.Report]:
    """Of every kind of study that the program makes up, and one with cells."""
    folder = tmp_path_factory.mktemp("studies")

    def simulated(name: str, *words: str) -> Path:
        path = folder / f"{name}.csv"
        subprocess.run([PROGRAM, "simulate", *words, "--out", str(path)], capture_output=True, check=True)
        return path

    small = ["--params", "3e7,1e8", "--tokens", "2e9,8e9,3e10"]
    tied = simulated("tied", "--law", "kumar", "--tied", "3,4,6,8", "--replicates", "3", *small)
    plain = simulated("plain", "--law", "chinchilla", "--ratios", "5,20,80")
    return {
        "every bit": report,
        "tied": bitlaw.report(tied, law="kumar", draws=10, profile=["alpha", "E"]),
        "no bits": bitlaw.report(plain, law="chinchilla", draws=10),
        "exponential": bitlaw.report(simulated("exp", "--law", "additive-exp", *small), law="additive-exp", draws=0),
        "cells": bitlaw.report(cells_study(), law="kumar", draws=10),
        "rows alone": bitlaw.report(plain),
    }


# ---- reports ----


def test_a_page_is_that_of_the_program(
    table: Path, fit: bitlaw.Fit, comparison: bitlaw.Answer, report: bitlaw.Report, tmp_path: Path,
    program: Callable[..., Any],
) -> None:
    fit.save(tmp_path / "fit.json")
    (tmp_path / "compare.json").write_text(comparison.to_json())
    words = ["report", str(table), "--fit", str(tmp_path / "fit.json"), "--compare", str(tmp_path / "compare.json")]
    page = tmp_path / "page.html"
    subprocess.run([PROGRAM, *words, "--out", str(page)], capture_output=True, check=True)
    report.save(tmp_path / "ours.html")
    assert (tmp_path / "ours.html").read_bytes() == page.read_bytes()
    assert report.document == program(*words)


def test_a_page_of_rows_alone_is_that_of_the_program(table: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    subprocess.run([PROGRAM, "report", str(table), "--where", "P_a=16", "--title", "Half", "--out", str(page)],
                   capture_output=True, check=True)
    assert bitlaw.report(table, where="P_a=16", title="Half").html().encode() == page.read_bytes()


def test_a_frame_and_a_fit_give_the_same_report(columns: dict[str, list[Any]], report: bitlaw.Report) -> None:
    pa = pytest.importorskip("pyarrow")
    frame = pa.table(columns)
    fitted = bitlaw.fit(frame, draws=20)
    of_fit, of_frame = bitlaw.report(fitted), bitlaw.report(frame, fitted)
    assert of_fit.html() == of_frame.html()
    skipped = {"laws"}  # the comparison
    ours = {name: each.document for name, each in of_fit.drawings.items()}
    assert ours == {name: each.document for name, each in report.drawings.items() if name not in skipped}
    assert of_fit.notes == report.notes and of_fit.answer == report.answer


def test_a_notebook_shows_the_page(report: bitlaw.Report) -> None:
    shown = report._repr_html_()
    begin, end = shown.index("srcdoc='") + len("srcdoc='"), shown.rindex("'></iframe>")
    assert "'" not in shown[begin:end]
    # The page, but for two words that keep its links inside the frame.
    page = html.unescape(shown[begin:end])
    assert page.count('<base href="about:srcdoc">') == page.count("base-uri about:") == 1
    assert page.replace('<base href="about:srcdoc">', "").replace("base-uri about:", "base-uri 'none'") == report.html()
    assert "allow-same-origin" not in shown and 'sandbox="allow-scripts allow-downloads"' in shown
    assert len(shown) < 1.1 * len(report.html())


def test_hostile_names_stay_text(columns: dict[str, list[Any]]) -> None:
    data = {**columns, "run": ["'><script>alert(1)</script>"] * len(columns["N"])}
    shown = bitlaw.report(data, title="</script>'><b>", pool="all")._repr_html_()
    assert "<script>alert" not in shown and "'><b>" not in shown


def test_ctrl_c_ends_a_report(table: Path, fit: bitlaw.Fit) -> None:
    code = (
        "import bitlaw, os, signal, sys, threading, time\n"
        "fit = bitlaw.fit(sys.argv[1])\n"
        "start = time.time()\n"
        "threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    bitlaw.report(fit)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(table)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr


def test_other_threads_run_meanwhile(fit: bitlaw.Fit) -> None:
    ticks, done = [], threading.Event()

    def tick() -> None:
        while not done.wait(0.005):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    bitlaw.report(fit)
    done.set()
    thread.join()
    assert len(ticks) > 20 and max(np.diff(ticks)) < 0.5


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda table, fit: bitlaw.report(table, fit, law="kumar"), "fit= is fitted already"),
    (lambda table, fit: bitlaw.report(fit, fit), "the first argument is a fit"),
    (lambda table, fit: bitlaw.report(table, compare={"law": 1}), "expected a document of `bitlaw compare"),
    (lambda table, fit: bitlaw.report(table, fit.document), "fit: a dict is no fit"),
    (lambda table, fit: bitlaw.report("nowhere.csv"), "nowhere.csv: cannot be read"),
    (lambda table, fit: bitlaw.report(table, whre="P_a=16"), "whre"),  # type: ignore[call-arg]
    (lambda table, fit: bitlaw.report(table).save("/nowhere/page.html"), "/nowhere/page.html: cannot be written"),
])
def test_a_wrong_report_is_one_sentence(
    table: Path, fit: bitlaw.Fit, call: Callable[[Path, bitlaw.Fit], object], sentence: str
) -> None:
    with pytest.raises(bitlaw.Error, match=re.escape(sentence)) as caught:
        call(table, fit)
    assert "\n" not in str(caught.value)


# ---- figures ----


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def with_gid(axes: Any, name: str) -> list[Any]:
    return [each for each in axes.get_children() if each.get_gid() == name]


def count(axes: Any, name: str) -> int:
    return sum(len(line.get_xdata()) for line in with_gid(axes, name))


def boxes_of_ticks(axes: Any, side: str) -> list[Any]:
    axis = axes.xaxis if side == "x" else axes.yaxis
    return [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]


def check_series(axes: Any, series: dict[str, Any]) -> None:
    name = series["name"]
    points, curve = series.get("points", []), series.get("curve", [])
    flagged = sum("flagged" in point for point in points)
    assert count(axes, f"points of {name}") == len(points) - flagged
    assert count(axes, f"flagged points of {name}") == flagged
    assert count(axes, f"curve of {name}") == (len(curve) if len(curve) > 1 else 0)
    bars = [len(each.get_segments()) for each in with_gid(axes, f"bars of {name}")]
    assert sum(bars) == sum("low" in point and "high" in point for point in points)
    for key in ("mean", "run"):
        assert len(with_gid(axes, f"{key} of {name}")) == (sum(key in place for place in curve) > 1)
    if points and not flagged:
        (line,) = with_gid(axes, f"points of {name}")
        assert list(line.get_xdata()) == [point["x"] for point in points]
        assert list(line.get_ydata()) == [point["y"] for point in points]


def check_figure(figure: Any, drawing: dict[str, Any]) -> None:
    """Everything that the drawing has is in the figure, and nothing lies on or beside something else."""
    figure.draw_without_rendering()
    panels = drawing["panels"]
    has_cells = any(panel.get("cells") for panel in panels)
    bars, axes = ([figure.axes[0]], figure.axes[1:]) if has_cells else ([], figure.axes)
    assert len(axes) == len(panels) and len(bars) == has_cells
    frames = frames_of(drawing, panels, bool(drawing.get("whole")))
    for place, panel in zip(axes, panels, strict=True):
        assert frames
        assert place.get_xlim() == pytest.approx(frames[0].range)
        assert place.get_ylim() == pytest.approx(frames[1].range)
        assert place.get_xscale() == ("log" if scale_of(drawing, "x").log else "linear")
        assert place.get_yscale() == ("log" if scale_of(drawing, "y").log else "linear")
        assert place.get_xlabel().split() == drawing["x"]["label"].split()
        assert place.get_ylabel().split() == drawing["y"]["label"].split()
        assert place.get_title(loc="left").split() == panel.get("title", "").split()
        for series in panel.get("series", []):
            check_series(place, series)
        lines = panel.get("lines", [])
        for key, name in (("x", "line at x"), ("y", "line at y"), ("diagonal", "diagonal")):
            assert len(with_gid(place, name)) == sum(key in line for line in lines)
        cells = with_gid(place, "cells")
        assert sum(len(each.get_paths()) for each in cells) == len(panel.get("cells", []))
        for side in "xy":
            ticks = boxes_of_ticks(place, side)
            assert len(ticks) >= 2 or drawing["id"] == "profiles"
            ends = [(each.x0, each.x1) if side == "x" else (each.y0, each.y1) for each in ticks]
            assert all(a[1] < b[0] for a, b in zip(ends, ends[1:], strict=False)), (drawing["id"], side)
    names = [series["name"] for panel in panels for series in panel.get("series", [])]
    shown = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert sorted(shown) == sorted(set(names))
    words = [text.get_text() for text in figure.texts]
    assert " ".join(words[0].split()) == drawing["title"]
    assert " ".join(words[-1].split()) == " ".join(drawing["says"].split())
    page = figure.bbox
    blocks = [each.get_window_extent() for each in [*figure.texts, *figure.legends]]
    blocks += [each.get_tightbbox() for each in [*axes, *bars]]
    for i, block in enumerate(blocks):
        assert block.x0 >= page.x0 - 1 and block.x1 <= page.x1 + 1, (drawing["id"], i)
        assert block.y0 >= page.y0 - 1 and block.y1 <= page.y1 + 1, (drawing["id"], i)
        for other in blocks[:i]:
            across = min(block.x1, other.x1) - max(block.x0, other.x0)
            down = min(block.y1, other.y1) - max(block.y0, other.y0)
            assert across <= 2 or down <= 2, (drawing["id"], i, across, down)


def shape_of(drawing: dict[str, Any]) -> tuple[Any, ...]:
    """Its name, and which parts it has: drawings of one shape are drawn by the same lines."""
    parts = {f"{part} {key}" for panel in drawing["panels"] for part in panel if isinstance(panel[part], list)
             for each in panel[part] for key in each}
    return drawing["id"], bool(drawing["panels"]), *sorted(parts)


def test_every_drawing_of_every_study_is_drawn_in_full(reports: dict[str, bitlaw.Report]) -> None:
    seen = set()
    for study, report in reports.items():
        assert len(report.drawings) > 0, study
        for drawing in report.drawings.values():
            if (shape := shape_of(drawing.document)) not in seen:
                check_figure(drawing.plot(), drawing.document)
            seen.add(shape)
    kinds = {name for report in reports.values() for name in report.drawings}
    assert {"delta-map", "profiles", "laws", "isoflop", "iso-loss", "frontier-of-bytes"} <= kinds


def test_figures_fit_a_narrow_notebook(reports: dict[str, bitlaw.Report]) -> None:
    for report, names in (
        (reports["every bit"], ["loss-after-simulated", "residuals-c", "best-bits-fixed-size", "predicted-measured"]),
        (reports["cells"], ["delta-map"]),
    ):
        for name in names:
            figure = report.plot(name, width=4)
            assert figure.get_figwidth() == pytest.approx(4)
            check_figure(figure, report.drawings[name].document)


def texts_of(svg: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs" / "figures").glob("made-up-*.svg")))
def test_a_figure_has_the_labels_of_the_gallery(name: str, report: bitlaw.Report) -> None:
    """The gallery's figures are the page's own, drawn in a browser."""
    drawing = report.drawings[name.removeprefix("made-up-").removesuffix(".svg")]
    figure = drawing.plot()
    figure.draw_without_rendering()
    there = texts_of((ROOT / "docs" / "figures" / name).read_text(encoding="utf-8"))
    ticks = [label.get_text() for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
             for label in axis.get_ticklabels()]
    own = [drawing.title, drawing.document["x"]["label"], drawing.document["y"]["label"],
           *(text.get_text() for legend in figure.legends for text in legend.get_texts()),
           *(panel["title"] for panel in drawing.panels if "title" in panel)]
    for text in own:
        assert text in there, text
    if drawing.document.get("equal"):
        return  # square here and on the screen, not in the gallery
    for text in ticks:
        assert text in there, text
    words = re.compile(r"-?[\d.]+(e-?\d+)?( [kMBT])?")
    assert {text for text in there if words.fullmatch(text)} <= {*ticks, *own}
    assert len(figure.axes) == len(drawing.panels)


def test_colours_and_shapes_are_those_of_the_page() -> None:
    make = ROOT / "python" / "make_looks.py"
    if not make.exists() or not (ROOT / "web" / "page" / "src").exists():
        pytest.skip("the sources of the page are not here")
    done = subprocess.run([sys.executable, str(make), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_frames_and_ticks_are_those_of_the_page(report: bitlaw.Report, tmp_path: Path) -> None:
    """The page's own code, in Node, for made-up ranges and for every drawing."""
    page = ROOT / "web" / "page"
    if not (page / "node_modules" / "esbuild").exists():
        pytest.skip("the packages of the page are not installed (`npm ci` in web/page)")
    random = np.random.default_rng(1)
    ticks: list[Any] = []
    for _ in range(500):
        low = 10 ** random.uniform(-6, 10)
        ticks.append([[low, low * 10 ** random.uniform(1e-3, 6)], bool(random.random() < 0.5),
                      int(random.integers(3, 14)), bool(random.random() < 0.3)])
    numbers = [float(sign * 10**power) for sign in (1, -1) for power in random.uniform(-8, 17, 300)]
    ranges: list[Any] = [[list(map(float, random.lognormal(0, 2, random.integers(0, 6)))),
               list(map(float, random.lognormal(0, 4, random.integers(0, 9)))),
               bool(random.random() < 0.5), bool(random.random() < 0.3)] for _ in range(300)]
    drawings = [each.document for each in report.drawings.values()]
    (tmp_path / "cases.json").write_text(json.dumps([numbers, ticks, ranges, drawings]))
    code = f"""
      import {{build}} from 'esbuild';
      import {{readFileSync, writeFileSync}} from 'node:fs';
      const contents = "export * from './numbers.ts'; export {{framesOf, startOf}} from './panel.ts'";
      await build({{stdin: {{contents, resolveDir: 'src/draw'}}, bundle: true, format: 'esm', outfile: '{tmp_path}/draw.mjs'}});
      const {{short, ticksOf, frameOf, framesOf, startOf}} = await import('{tmp_path}/draw.mjs');
      const [numbers, ticks, ranges, drawings] = JSON.parse(readFileSync('{tmp_path}/cases.json', 'utf8'));
      const frames = drawings.map(each => framesOf(each, each.panels, startOf(each)));
      console.log(JSON.stringify([numbers.map(short), ticks.map(each => ticksOf(...each)),
                                  ranges.map(each => frameOf(...each) ?? null), frames]));"""
    done = subprocess.run(["node", "--input-type=module", "-e", code], cwd=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words, places, found, frames = json.loads(done.stdout)
    assert [short(number) for number in numbers] == words
    assert [ticks_of((low, high), *rest) for (low, high), *rest in ticks] == places
    for case, frame in zip(ranges, found, strict=True):
        ours = frame_of(*case)
        assert (ours is None) == (frame is None)
        if ours:
            assert ours.range == pytest.approx(frame["range"], rel=1e-12) and ours.cut == frame["cut"]
    for drawing, both in zip(drawings, frames, strict=True):
        pair = frames_of(drawing, drawing["panels"], False)
        assert pair
        for frame, axis in zip(pair, "xy", strict=True):
            assert frame.range == pytest.approx(both[axis]["range"], rel=1e-12)


def test_ticks_say_which_number_they_are_at() -> None:
    assert tick_words([2.76, 2.7625, 2.765]) == ["2.76", "2.7625", "2.765"]
    assert tick_words([1e9, 2e9, 5e9]) == ["1 B", "2 B", "5 B"]
    assert tick_words([0, 0.5]) == ["0", "0.5"]


def test_nothing_global_changes_and_nothing_is_kept(fit: bitlaw.Fit) -> None:
    import matplotlib as mpl
    from bitlaw._draw import LawFigure

    before = dict(mpl.rcParams)
    backend = mpl.rcParams._get("backend")
    drawing = bitlaw.report(fit).drawings["best-split"]
    for _ in range(50):
        drawing.plot(width=4, words=False)
    assert dict(mpl.rcParams) == before and mpl.rcParams._get("backend") == backend
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is LawFigure]
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


def test_no_display_and_no_pyplot_are_needed(table: Path, tmp_path: Path) -> None:
    code = (
        "import bitlaw, sys\n"
        "assert 'matplotlib' not in sys.modules\n"
        "figure = bitlaw.fit(sys.argv[1], draws=0).plot('residuals')\n"
        "figure.savefig(sys.argv[2])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "picture, size = figure._repr_png_()\n"
        "assert picture[:4] == b'\\x89PNG' and size['width'] == 833\n"
    )
    bare = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code, str(table), str(tmp_path / "f.png")], env=bare,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_a_sentence_says_what_to_do() -> None:
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "import bitlaw\n"
        "try:\n"
        "    bitlaw.plan('kumar', compute=1e21).plot()\n"
        "except bitlaw.Error as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "figures need matplotlib: `pip install matplotlib`\n", done.stderr


@pytest.mark.parametrize(("kind", "begin"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_figures_are_saved(fit: bitlaw.Fit, tmp_path: Path, kind: str, begin: bytes) -> None:
    path = tmp_path / f"figure.{kind}"
    fit.plot("effective-parameters").savefig(path)
    assert path.read_bytes().startswith(begin)


def test_axes_of_ones_own(fit: bitlaw.Fit, reports: dict[str, bitlaw.Report]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6))
    axes = figure.subplots(2, 2)
    drawn = fit.plot("loss-by-bits-weights", ax=axes)
    assert [each.get_title() for each in drawn] == [f"N = {size} M" for size in (30, 60, 110, 220)]
    one = Figure().subplots()
    assert fit.plot("loss-by-bits-weights", ax=one, panel="N = 60 M", legend=False) is one
    assert one.get_legend() is None and one.get_xlabel() == "bits of weights in training"
    assert count(one, "points of 1.5 B tokens") == 8
    maps = Figure(layout="constrained").subplots(1, 2)
    reports["cells"].plot("delta-map", ax=maps)
    assert len(maps[0].get_figure().axes) == 3
    maps[0].get_figure().draw_without_rendering()
    for wrong, sentence in (
        ({"ax": one}, "4 panels and ax has 1"),
        ({"panel": "N = 1 B"}, "it has 'N = 30 M', 'N = 60 M'"),
        ({"panel": 4}, "has no panel 4"),
        ({"width": 1}, "too narrow"),
        ({"width": -1}, "width=-1 is no width in inches"),
        ({"width": "4"}, "width='4' is no width in inches"),
        ({"ax": 3}, "an int is no matplotlib Axes"),
        ({"ax": one.get_figure()}, "a Figure is no matplotlib Axes"),
    ):
        with pytest.raises(bitlaw.Error, match=re.escape(sentence)):
            fit.plot("loss-by-bits-weights", **wrong)


def test_a_panel_without_title_is_named_by_its_number(fit: bitlaw.Fit) -> None:
    with pytest.raises(bitlaw.Error, match="has no panel 99; its panels are 0 to 0"):
        fit.plot("residuals-d", panel=99)


def test_approaches_say_where_their_figure_is() -> None:
    runs = bitlaw.simulate("chinchilla")
    with pytest.raises(bitlaw.Error, match="no figure of their own; .* draws the losses of each budget"):
        bitlaw.approach(runs, "parametric", draws=0).plot()


def test_names(fit: bitlaw.Fit) -> None:
    titles = [fit.plot(name).texts[0].get_text() for name in (None, "residuals", "residuals-d")]
    assert titles == ["Predicted against measured loss", "Residuals against parameters N",
                      "Residuals against training tokens D"]
    with pytest.raises(bitlaw.Error, match="there is no figure 'resid'; there are .*residuals-n, residuals-d"):
        fit.plot("resid")


def test_a_fit_without_a_table_draws_what_it_can(fit: bitlaw.Fit, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.json")
    loaded = bitlaw.load(tmp_path / "fit.json")
    here = bitlaw.report(loaded)
    assert "best-bits-fixed-size" in here.drawings
    assert here.drawings["best-bits-fixed-size"] == bitlaw.report(fit).drawings["best-bits-fixed-size"]
    check_figure(loaded.plot("best-bits-fixed-size"), here.drawings["best-bits-fixed-size"].document)
    with pytest.raises(bitlaw.Error, match=r"no figure 'residuals'.*bitlaw.report\(df, fit=fit\) has them"):
        loaded.plot("residuals")


def drawings_of(answer: bitlaw.Answer) -> dict[str, bitlaw.Drawing]:
    from bitlaw._figures import drawings_of_answer

    assert answer._question is not None
    return drawings_of_answer(answer._question, answer.document)


def test_every_answer_is_drawn(table: Path, fit: bitlaw.Fit, comparison: bitlaw.Answer, report: bitlaw.Report) -> None:
    answers: dict[str, tuple[bitlaw.Answer, Sequence[str]]] = {
        "compare": (comparison, ["laws"]),
        "plan": (bitlaw.plan(fit, compute=1e21), ["loss-by-bits", "loss-by-size"]),
        "published": (bitlaw.plan("chinchilla", compute=1e21), ["loss-by-size"]),
        "frontier": (bitlaw.frontier(fit, "1e8..1e10", tokens=1e11), ["loss-by-bytes", "frontier-of-bytes"]),
        "design": (bitlaw.design(table, "chinchilla", shrink="alpha", budget=1e19), ["design-runs", "design-error"]),
    }
    for answer, names in answers.values():
        found = drawings_of(answer)
        assert list(found) == names
        for name, drawing in found.items():
            check_figure(answer.plot(name), drawing.document)
        assert answer.plot(width=5).texts[0].get_text().split() == found[names[0]].title.split()
    assert drawings_of(comparison)["laws"] == report.drawings["laws"]
    with pytest.raises(bitlaw.Error, match="several laws or fits"):
        bitlaw.plan("kumar", laws=["kumar", "chinchilla"], compute=1e21).plot()
    with pytest.raises(bitlaw.Error, match="neither its bits nor its size were free"):
        bitlaw.plan("chinchilla", params=1e9, tokens=1e10).plot()
    with pytest.raises(bitlaw.Error, match="no loss to draw"):
        bitlaw.plan(fit, params=1e9, critical_data=True, bits=[3, 4]).plot()
    with pytest.raises(bitlaw.Error, match="ask again"):
        bitlaw.Answer(comparison.document).plot()


def made_up(**more: Any) -> bitlaw.Drawing:
    places = [{"x": x, "y": x * x, "mean": [x * x - 1, x * x + 1]} for x in (1.0, 2.0, 3.0)]
    points = [{"x": 1.0, "y": 1.5, "low": -1e300, "high": 2.0}, {"x": 2.0, "y": 4.5, "flagged": "failed"}]
    panel = {
        "title": "cost in $ and $^2$",
        "series": [{"name": "$x$ & <y>", "points": points, "curve": places}, {"name": "range", "range": True, "curve": places}],
        "lines": [{"x": 2.5, "label": "at $2"}, {"y": 5.0, "label": "five"}, {"diagonal": True}],
        "contours": [{"label": "+0.1", "lines": [[[1.0, 2.0], [2.0, 3.0], [3.0, 2.0]]]}],
    }
    document = {"id": "made-up", "group": "", "title": "100 % of $", "says": "It says −1 ± 2.", "x": {"label": "x"},
                "y": {"label": "y, $"}, "panels": [panel], **more}
    return bitlaw.Drawing("made-up", document["title"], document["says"], document)


def test_marks_that_other_pages_have() -> None:
    drawing = made_up(whole=True)
    figure = drawing.plot()
    axes = figure.axes[0]
    figure.draw_without_rendering()
    assert len(with_gid(axes, "contour +0.1")) == 1
    assert len(with_gid(axes, "mean of range")) == 1
    assert not with_gid(axes, "curve of range")
    assert axes.get_title(loc="left") == "cost in $ and $^2$"
    words = [text.get_text() for text in figure.texts]
    assert "hollow: does not count" in words[1] and "band: range of the series" in words[1]
    cut = made_up().plot()
    assert "curves or bars leave the frame" in cut.texts[1].get_text()


@pytest.mark.parametrize("change", [
    lambda document: document.update(depth=3),
    lambda document: document["x"].update(reversed=True),
    lambda document: document["panels"][0].update(arrows=[]),
    lambda document: document["panels"][0]["series"][0].update(steps=True),
    lambda document: document["panels"][0]["series"][0]["points"][0].update(size=2),
    lambda document: document["panels"][0]["series"][0]["curve"][0].update(spread=2),
    lambda document: document["panels"][0]["lines"][0].update(slope=2),
])
def test_what_cannot_be_drawn_is_an_error(change: Callable[[dict[str, Any]], None]) -> None:
    drawing = made_up()
    change(drawing.document)
    with pytest.raises(bitlaw.Error, match="cannot draw"):
        drawing.plot()


def test_a_figure_without_data_says_why() -> None:
    drawing = made_up(panels=[])
    figure = drawing.plot()
    assert figure.axes == [] and figure.texts[-1].get_text() == "It says −1 ± 2."
    with pytest.raises(bitlaw.Error, match="It says"):
        from matplotlib.figure import Figure

        drawing.plot(ax=Figure().subplots())


def test_dark_paper_and_other_fonts(fit: bitlaw.Fit) -> None:
    import matplotlib as mpl
    from bitlaw import _looks

    with mpl.rc_context({"figure.facecolor": "black", "font.size": 14, "font.family": "serif"}):
        figure = fit.plot("loss-by-bits-weights")
        (line,) = with_gid(figure.axes[0], "curve of 1.5 B tokens")
        assert line.get_color() == _looks.BY_ORDER[0][1]
        assert figure.get_figwidth() == pytest.approx(800 / 96 * 1.4)
        figure.draw_without_rendering()
    (line,) = with_gid(fit.plot("loss-by-bits-weights").axes[0], "curve of 1.5 B tokens")
    assert line.get_color() == _looks.BY_ORDER[0][0]
