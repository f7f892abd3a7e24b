"""Training, quantization and studies as child processes: progress, results, and every way to end."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bitlaw
import bitlaw._program
import bitlaw._task
import pytest
from conftest import PROGRAM, TINY

MAKE = Path(__file__).parent.parent / "make_task_options.py"


@pytest.fixture(autouse=True)
def _program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITLAW_PROGRAM", PROGRAM)


def train(data: Path, runs: Path, tokens: float = 5120, **options: Any) -> Any:
    return bitlaw.train(TINY, data={"path": data}, train={"tokens": tokens}, directory=runs, threads=1, **options)


@pytest.fixture(scope="session")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a run of 300,000 tokens that nobody has interrupted, by the command line."""
    runs = tmp_path_factory.mktemp("whole")
    subprocess.run([PROGRAM, "train", f"data.path={data}", *(f"{key}={value}" for key, value in TINY.items()),
                    "train.tokens=300000", "--threads", "1", "--directory", str(runs)],
                   capture_output=True, check=True)
    result = bitlaw.run(runs / bitlaw.runs(runs)["run"][0]).result
    assert result is not None
    return str(result["weights_hash"])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def test_keywords_are_those_of_the_program() -> None:
    if not MAKE.exists():
        pytest.skip("the sources of the package are not here")
    done = subprocess.run([sys.executable, str(MAKE), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_progress_of_a_run_and_its_result(data: Path, tmp_path: Path, weights: str) -> None:
    task = train(data, tmp_path, 3e5)
    events = list(task)
    assert [event.step for event in events] == sorted(event.step for event in events)
    first, last = events[0], events[-1]
    assert isinstance(first, bitlaw.TrainingProgress) and first.step == 0 and first.loss is None
    assert last.step == last.steps == last.total and last.tokens == last.steps * 256 and last.share == 1
    assert all(event.loss > 0 and event.seconds_left >= 0 for event in events[1:-1])
    run = task.result()
    assert isinstance(run, bitlaw.Run) and run.status == "finished"
    assert run.result is not None and run.result["weights_hash"] == weights
    assert task.document["was_there"] is False and not task.running and list(task) == []
    assert train(data, tmp_path, 3e5).result().name == run.name  # at once
    assert bitlaw.train(run.config, directory=tmp_path).result().name == run.name


def test_configurations_are_files_dictionaries_and_keywords(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'data.path = "{data}"\ntrain.tokens = 7777\n')
    task = bitlaw.train([file, TINY, {"train": {"tokens": 1, "seed": None}}, "train.lr=2e-3"], train={"tokens": 5120},
                        recipe={"weights": 4}, directory=tmp_path)
    config = task.result().config
    assert config["train"]["tokens"] == 5120 and config["train"]["lr"] == 2e-3
    assert config["recipe"]["weights"] == "int4" and config["model"]["width"] == 32


@pytest.mark.parametrize(("change", "sentence"), [
    ({"model": {"widht": 3}}, r"^unknown key 'model.widht'; did you mean 'model.width'\?$"),
    ({"model": {"width": "abc"}}, "^model.width must be a whole number"),
    ({"treads": 2}, r"^unknown option 'treads'; did you mean 'threads'\?$"),
    ({"log_steps": 0}, "^log_steps"),
    ({"dry_run": True}, "^dry_run is an option of the command line alone"),
    ({"data": {"path": "nowhere"}}, "^nowhere: no data set there"),
    ({"model": {"width": object()}}, "is neither text nor a number"),
])
def test_what_is_wrong_is_the_programs_sentence(
    change: dict[str, Any], sentence: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        bitlaw.train(TINY, **{"data": {"path": data}, "directory": tmp_path, **change}).result()
    assert "\n" not in str(caught.value)
    with pytest.raises(bitlaw.Error, match=sentence):
        list(bitlaw.train(TINY, **{"data": {"path": data}, "directory": tmp_path, **change}))


def test_a_request_that_is_no_configuration_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None
    with pytest.raises(bitlaw.Error, match="a configuration None: the path of a file"):
        bitlaw.train(nothing)
    with pytest.raises(bitlaw.Error, match="says 'model' as 3, and sets 'model.width' inside it"):
        bitlaw.sweep({"name": "s", "base": {"model": 3, "model.width": 4}})
    with pytest.raises(bitlaw.Error, match="^study: unknown key 'bas'"):  # not the file that it was written to
        bitlaw.sweep({"name": "s", "bas": {}}).result()
    monkeypatch.setattr("tempfile.tempdir", "/proc/none")
    with pytest.raises(bitlaw.Error, match="set TMPDIR"):
        bitlaw.train(TINY)


def test_a_run_that_is_stopped_resumes_to_the_same_bits(data: Path, tmp_path: Path, weights: str) -> None:
    task = train(data, tmp_path, 3e5)
    for event in task:
        if event.step > 0:
            task.stop()
    assert task.result().status == "started" and task.document["status"] == "interrupted"
    again = train(data, tmp_path, 3e5)
    assert again.result().result["weights_hash"] == weights
    assert again.document["was_there"] is False


def test_a_killed_program_is_named_and_resumes_to_the_same_bits(data: Path, tmp_path: Path, weights: str) -> None:
    task = train(data, tmp_path, 3e5, checkpoint_steps=20)
    next(event for event in task if event.step > 40)
    task._child.process.kill()
    with pytest.raises(bitlaw.Error, match="killed by the signal SIGKILL; was there not enough memory"):
        list(task)
    with pytest.raises(bitlaw.Error, match="the same call resumes"):
        task.result()
    for _ in range(3):
        assert next(train(data, tmp_path, 3e5)).step >= 20  # given up at once, and saved
    assert train(data, tmp_path, 3e5).result().result["weights_hash"] == weights


def test_a_stop_by_others_is_an_error(data: Path, tmp_path: Path) -> None:
    task = train(data, tmp_path, 2e6)
    next(task)
    os.kill(task._child.process.pid, signal.SIGTERM)
    with pytest.raises(bitlaw.Error, match="stopped by a signal before its end"):
        list(task)


def test_a_with_block_ends_the_program(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), train(data, tmp_path, 2e6) as task:
        next(task)
        assert task.running
        1 / 0  # noqa: B018
    assert not task.running and not is_alive(task._child.process.pid)


def test_what_is_given_up_ends_and_leaves_no_zombie(data: Path, tmp_path: Path) -> None:
    for event in (task := train(data, tmp_path, 2e6)):
        pid = task._child.process.pid
        assert event.step == 0 and is_alive(pid)
        break
    before = threading.active_count()
    del task
    gc.collect()
    assert eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert eventually(lambda: threading.active_count() < before)


def test_a_program_that_has_ended_is_no_zombie_and_leaks_no_descriptor(data: Path, tmp_path: Path) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    train(data, tmp_path).result()
    before = descriptors()
    tasks = [train(data, tmp_path) for _ in range(3)]
    pids = [task._child.process.pid for task in tasks]
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))  # nobody has asked
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del tasks
        assert descriptors() == before


def script(data: Path, runs: Path, body: str) -> list[str]:
    code = f"import bitlaw\ntask = bitlaw.train({TINY!r}, data={{'path': {str(data)!r}}}, train={{'tokens': 2e6}}, " \
           f"directory={str(runs)!r}, threads=1)\n" + textwrap.dedent(body)
    return [sys.executable, "-c", code]


SAY_STEPS = """
try:
    for event in task:
        print(task._child.process.pid, event.step, flush=True)
except KeyboardInterrupt:
    print("interrupted", task.running, task.result().status, flush=True)
"""


@pytest.fixture
def python(data: Path, tmp_path: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], int]]]:
    """Starts a script that trains; the script, and the process of the program."""
    started = []

    def start(body: str) -> tuple[subprocess.Popen[str], int]:
        process = subprocess.Popen(script(data, tmp_path, body), stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            pid, step = map(int, line.split())
            if step > 0:
                return process, pid
        raise AssertionError("no progress")

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_ctrl_c_saves_and_raises(python: Any, tmp_path: Path, data: Path) -> None:
    process, pid = python(SAY_STEPS)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.5)  # Python prints what has come, then waits
    os.killpg(process.pid, signal.SIGINT)  # as a terminal and Jupyter do
    os.kill(pid, signal.SIGCONT)
    rest = process.communicate(timeout=60)[0].splitlines()
    assert rest[-1] == "interrupted False started" and process.returncode == 0
    assert not is_alive(pid)
    with train(data, tmp_path, 2e6) as again:
        assert next(again).step > 0


def test_a_second_ctrl_c_kills(python: Any) -> None:
    body = SAY_STEPS.replace("task.result().status", "task._child.process.returncode")
    process, pid = python(body)
    os.kill(pid, signal.SIGSTOP)  # as if saving took for ever
    time.sleep(0.5)  # Python prints what has come, then waits
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].splitlines()[-1] == "interrupted False -9"
    assert not is_alive(pid)


@pytest.mark.parametrize("body", [
    SAY_STEPS,
    # What Python has started does not hold the pipe either, as another program or as a fork.
    "import subprocess\nother = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n" + SAY_STEPS,
    "import os, time\nif os.fork() == 0:\n    os.close(1)\n    time.sleep(60)\n    os._exit(0)\n" + SAY_STEPS,
])
def test_a_killed_python_ends_the_program_with_its_state_saved(
    body: str, python: Any, tmp_path: Path, data: Path
) -> None:
    process, pid = python(body)
    process.kill()
    assert eventually(lambda: not is_alive(pid))
    with train(data, tmp_path, 2e6) as again:
        assert next(again).step > 0


def test_a_killed_python_ends_a_study_with_all_its_jobs(data: Path, tmp_path: Path) -> None:
    study = {"name": "tiny", "base": {**TINY, "data.path": str(data)},
             "grid": [{"train.tokens": [3_000_000], "train.seed": [1, 2, 3]}]}
    code = (f"import bitlaw\nfor event in (task := bitlaw.sweep({study!r}, runs={str(tmp_path / 'runs')!r}, jobs=2)):\n"
            "    print(task._child.process.pid, len(event.running), flush=True)\n")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = next(int(line.split()[0]) for line in process.stdout if line.split()[1] == "2")
        jobs = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and parent(each) == worker]
        process.kill()
    assert len(jobs) == 2 and eventually(lambda: not any(map(is_alive, [worker, *jobs])))


def test_a_fork_leaves_the_task_alone(data: Path, tmp_path: Path) -> None:
    with train(data, tmp_path, 2e6) as task:
        next(task)
        if (fork := os.fork()) == 0:
            try:
                next(task)
            except bitlaw.Error as error:
                task._finalizer()
                os._exit(7 if "belongs to the process" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 7
        assert task.running and next(task).step > 0


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_the_end_of_a_script_ends_the_program(python: Any, tmp_path: Path, data: Path) -> None:
    process, pid = python("for event in task:\n    print(task._child.process.pid, event.step, flush=True)\n"
                          "    if event.step > 0: break\n")
    assert process.wait(60) == 0
    assert not is_alive(pid)  # at exit Python waits for the state to be saved


def test_two_at_once_from_threads(data: Path, tmp_path: Path) -> None:
    found: dict[int, Any] = {}

    def work(seed: int) -> None:
        task = bitlaw.train(TINY, data={"path": data}, train={"tokens": 20000, "seed": seed}, threads=1,
                            directory=tmp_path)
        found[seed] = (len(list(task)), task.result())

    workers = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(events >= 2 and run.status == "finished" for events, run in found.values())
    assert found[1][1].loss != found[2][1].loss


def test_a_slow_iterator_sees_the_present(data: Path, tmp_path: Path) -> None:
    task = train(data, tmp_path, 1e5)
    first = next(task)
    assert first.step == 0
    assert eventually(lambda: not task.running)
    assert [event.step for event in task] == [391]  # the last alone


def test_quantization_is_that_of_the_program(study: Path, program: Callable[..., Any], tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "runs"
    shutil.copytree(study, copy)
    run = next(row["run"] for row in bitlaw.runs(copy).rows() if row["method"] == "none" and row["P_w"] == 3)
    options = {"bits": [4, 5], "calibration_tokens": 256, "evaluation_tokens": 512, "calibration_seeds": [1]}
    task = bitlaw.quantize_runs([copy / run], methods=["rtn", "gptq"], threads=1, **options)  # type: ignore[arg-type]
    labels = {event.label for event in task}
    cells = task.result()
    assert labels == {"quantize"} and len(cells) == 4 and cells.notes == []
    printed = program("quantize", str(copy / run), "--methods", "rtn,gptq", "--bits", "4,5", "--calibration-tokens",
                      "256", "--evaluation-tokens", "512", "--calibration-seeds", "1")["rows"]
    assert [row["loss_nats"] for row in printed] == list(cells["loss_nats"])
    again = bitlaw.quantize_runs(bitlaw.run(copy / run), methods="rtn", threads=1, **options)  # type: ignore[arg-type]
    assert len(again.result()) == 2


def test_a_study_is_that_of_the_program(study_file: Path, study: Path, tmp_path: Path) -> None:
    task = bitlaw.sweep(study_file, runs=tmp_path / "runs", jobs=2)
    events = list(task)
    assert events and all(isinstance(event, bitlaw.StudyProgress) for event in events)
    assert events[-1].jobs_done == events[-1].jobs > 0 and events[-1].jobs_failed == 0
    frame = task.result()
    same = bitlaw.runs(study)
    of_study = same[[name in set(frame["run"]) for name in same["run"]]]
    assert len(frame) == len(of_study) == 14
    for name in ("run", "method", "loss", "weights_hash"):
        assert [row[name] for row in frame.rows()] == [row[name] for row in of_study.rows()]


def test_a_study_in_a_dictionary_is_resumed_after_a_stop(data: Path, tmp_path: Path) -> None:
    study = {"name": "tiny", "base": {**TINY, "data.path": str(data)},
             "grid": [{"train.tokens": [5120, 120000], "train.seed": [1, 2]}]}
    with bitlaw.sweep(study, runs=tmp_path / "runs", jobs=1) as task:
        next(event for event in task if event.jobs_done > 0)
    some = task.result()
    assert 0 < sum(status == "finished" for status in some["status"]) < 4
    whole = bitlaw.sweep(study, runs=tmp_path / "runs", jobs=2).result()
    assert len(whole) == 4 and set(whole["status"]) == {"finished"}


def test_failed_jobs_are_warned_of(data: Path, tmp_path: Path) -> None:
    study = {"name": "tiny", "base": {**TINY, "data.path": str(data)}, "grid": [{"train.tokens": [5120, 7680]}]}
    runs = tmp_path / "runs"
    first = bitlaw.sweep(study, runs=runs, only=["train.tokens=5120"]).result()
    assert len(first) == 1
    (runs / first["run"][0] / "result.json").unlink()
    (runs / first["run"][0] / "run.json").write_text("{")
    task = bitlaw.sweep(study, runs=runs)
    with pytest.warns(UserWarning) as caught:
        frame = task.result()
    assert [each.filename for each in caught] == [__file__] * 2
    assert "1 of 2 jobs failed" in str(caught[0].message) and "1 damaged file was left out" in str(caught[1].message)
    assert len(frame) == 1 and any(first["run"][0] in note for note in frame.notes)


def test_others(data: Path, study: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for name in range(20):
        (texts / f"{name}.txt").write_text(f"Text number {name}. " * 50)
    made = bitlaw.prepare(texts, tmp_path / "made", tokenizer="byte", validation_fraction=0.2)
    assert made.result()["train"]["tokens"] > 0
    name = bitlaw.runs(study, "method=none", "D=5120")["run"][0]
    assert bitlaw.reproduce(study / name, threads=1).result()["reproduced"] is True
    tuning = {"name": "t", "base": {**TINY, "data.path": str(data), "train.tokens": 5120},
              "grid": [{"points": 3, "train.lr": {"from": 1e-3, "to": 1e-1, "scale": "log"}}]}
    tuned = bitlaw.tune(tuning, runs=tmp_path / "tuned", jobs=2, halvings=0, replicates=0).result()
    assert tuned["fleets"][0]["configurations"] == 3


# ---- what is shown ----

EVENT = bitlaw.TrainingProgress("train x", 3, 10, 1.5, 3.5, "loss 3.2", {}, 3, 10, 300, 3.2, 100.0, "runs/x")


def shown(show: bool | None) -> None:
    with bitlaw._task._Shown(show) as bar:
        bar.update(EVENT)


def test_without_tqdm_progress_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    shown(True)
    assert capsys.readouterr().err == "train x  30 %  0:00:04 left  loss 3.2\n"


def test_with_tqdm_it_is_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    shown(True)
    said = capsys.readouterr().err
    assert "train x" in said and "30%" in said and "loss 3.2" in said


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    shown(None)  # no terminal, no notebook
    shown(False)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_a_task(data: Path, tmp_path: Path) -> None:
    task = train(data, tmp_path)
    task.result()
    assert "<progress value='1.000'>" in task._repr_html_() and "ended" in task._repr_html_()
    assert repr(task).endswith(": ended, 100 %>") and repr(task).startswith("<bitlaw.Task train ")


# ---- which program ----


def test_a_package_without_a_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "bitlaw"
    other.write_text("#!/bin/sh\necho bitlaw 0.0.1\n")
    other.chmod(0o755)
    monkeypatch.delenv("BITLAW_PROGRAM")
    monkeypatch.setattr(bitlaw._program, "_INSIDE", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bitlaw.Error, match="of another version; set BITLAW_PROGRAM"):
        bitlaw.train({})
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(bitlaw.Error, match="no program to train with; set BITLAW_PROGRAM"):
        bitlaw.train({})
    monkeypatch.setenv("BITLAW_PROGRAM", str(tmp_path / "nowhere"))
    with pytest.raises(bitlaw.Error, match="is no program of bitlaw that can be run"):
        bitlaw.train({})
    monkeypatch.delenv("BITLAW_PROGRAM")
    monkeypatch.setattr(bitlaw._program, "_version_of", lambda path: bitlaw.__version__)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bitlaw._program.program() == str(other)


def test_the_package_can_be_run_as_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "bitlaw", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"bitlaw {bitlaw.__version__}"
