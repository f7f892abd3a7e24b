"""A verb of the program at work: a child process whose progress is iterated over.

The pipe of its progress is the leash (docs/decisions/0034-runs-in-python.md): the program ends, with all that
can be resumed saved, once nobody holds the other end.
"""

from __future__ import annotations

import datetime
import importlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import IO, Any, Generic, TypeVar

from ._ask import Error, Json
from ._program import program

_LOOK_SECONDS = 0.5  # between two looks at whether the child has ended, should its pipe stay open
_LOG_SECONDS = 10  # between two lines in a log
_MOST_TO_SAVE_SECONDS = 60  # the state, when a task is given up


@dataclass(frozen=True)
class Progress:
    """How far a task is.

    `done` of `total`, in a unit of the verb; `seconds` since the program began; `seconds_left` as far as can
    be told, else None; `document` the line of the program (docs/progress.md).
    """

    label: str
    done: float
    total: float
    seconds: float
    seconds_left: float | None
    note: str
    document: Json = field(repr=False)

    @property
    def share(self) -> float:
        """Done, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 1.0


@dataclass(frozen=True)
class TrainingProgress(Progress):
    """How far a run is: `step` of `steps`, `tokens` so far, `loss` of the last step in nats per token (None
    before the first), `tokens_per_second`, and the `directory` of the run."""

    step: int
    steps: int
    tokens: int
    loss: float | None
    tokens_per_second: float | None
    directory: str


@dataclass(frozen=True)
class StudyProgress(Progress):
    """How far a study is: `jobs_done` of `jobs`, `jobs_failed`, those that are `running` (name, seconds, share,
    loss_nats), and `law`, what the results say so far."""

    jobs: int
    jobs_done: int
    jobs_failed: int
    running: list[Json]
    law: str


def _common(line: Json) -> dict[str, Any]:
    return {
        "label": str(line.get("progress", "")),
        "done": float(line.get("done") or 0),
        "total": float(line.get("total") or 0),
        "seconds": float(line.get("seconds") or 0),
        "seconds_left": line.get("seconds_left"),
        "note": str(line.get("note", "")),
        "document": line,
    }


def any_progress(line: Json) -> Progress:
    return Progress(**_common(line))


def training_progress(line: Json) -> TrainingProgress:
    return TrainingProgress(
        **_common(line), step=int(line.get("step", 0)), steps=int(line.get("steps", 0)),
        tokens=int(line.get("tokens", 0)), loss=line.get("loss_nats"),
        tokens_per_second=line.get("tokens_per_second"), directory=str(line.get("directory", "")))


def study_progress(line: Json) -> StudyProgress:
    return StudyProgress(
        **_common(line), jobs=int(line.get("jobs", 0)), jobs_done=int(line.get("jobs_done", 0)),
        jobs_failed=int(line.get("jobs_failed", 0)), running=list(line.get("running", [])),
        law=str(line.get("law", "")))


class _Child:
    """The process. A thread waits for it, so that it is never a zombie; that thread knows no task."""

    def __init__(self, words: Sequence[str]) -> None:
        for ended in _ending.copy():  # one that was given up may still be saving the same run
            ended.wait(_MOST_TO_SAVE_SECONDS)
            _ending.discard(ended)
        try:
            self.output = tempfile.TemporaryFile()  # noqa: SIM115  of no name; the child needs no reader
            self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise Error(f"no temporary file can be made for what the program prints: {error.strerror or error}; set "
                        "TMPDIR to a directory that can be written") from None
        self.owner = os.getpid()
        self.ended = threading.Event()
        executable = program()
        self.pipe, write = os.pipe()
        try:
            self.process = subprocess.Popen(
                [executable, "--progress", f"json:{write}", *words], stdin=subprocess.DEVNULL,
                stdout=self.output, stderr=self.errors, pass_fds=(write,), process_group=0)
        except OSError as error:
            self.close()
            raise Error(f"{executable}: cannot be started: {error.strerror or error}") from None
        finally:
            os.close(write)
        os.set_blocking(self.pipe, False)
        self.half = b""  # the beginning of a line
        _children.add(self)
        threading.Thread(target=_reap, args=(self.process, self.ended), name="bitlaw", daemon=True).start()

    def close(self) -> None:
        if self.pipe >= 0:
            os.close(self.pipe)
        self.pipe = -1

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def newest_line(self) -> Json | None:
        """Of what has come since the last call. An iterator that is slow sees the present, not the past."""
        try:
            while self.pipe >= 0 and (read := os.read(self.pipe, 1 << 16)):
                self.half += read
        except BlockingIOError:
            pass
        *lines, self.half = self.half.split(b"\n")
        for line in reversed(lines):
            try:
                document = json.loads(line)
            except ValueError:
                continue
            if isinstance(document, dict):
                return document
        return None

    def wait_for_line(self, seconds: float) -> None:
        """Returns early where something can be read, or the child has closed the pipe."""
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        if any(state & select.POLLIN == 0 for _, state in poll.poll(1000 * seconds)):
            self.ended.wait(seconds)  # closed, and there is nothing to read

    def text(self, file: IO[bytes]) -> str:
        """Of the whole file. The child writes where its end was, so that place must not move."""
        number = file.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode("utf-8", "replace")

    def abandon(self) -> None:
        """Nobody holds the task any more."""
        if os.getpid() != self.owner:  # a fork has a copy
            return
        self.close()
        self.output.close()
        self.errors.close()
        if self.ended.is_set():
            return
        self.terminate()
        _ending.add(self.ended)
        if not threading.main_thread().is_alive() or sys.is_finalizing():
            self.ended.wait(_MOST_TO_SAVE_SECONDS)


_ending: set[threading.Event] = set()
_children: weakref.WeakSet[_Child] = weakref.WeakSet()


def _forget_children() -> None:
    """In a fork of Python, whose copy of a pipe would keep the program at work when Python has died."""
    for child in list(_children):
        child.close()


os.register_at_fork(after_in_child=_forget_children)


def _reap(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


Event = TypeVar("Event", bound=Progress)
Result = TypeVar("Result")


class Task(Generic[Event, Result]):
    """The program at work, as a child process: an iterator of its progress, and a result.

    >>> import bitlaw
    >>> for event in bitlaw.train("run.toml"):  # doctest: +SKIP
    ...     print(event.step, event.loss, event.seconds_left)
    >>> bitlaw.train("run.toml").result()  # with a bar; finished runs are not trained again  # doctest: +SKIP
    <bitlaw.Run runs/0123456789abcdef: finished, loss 3.1415>

    - The program works from the moment of the call on, whether or not anybody iterates. Where an iterator is slow,
      it gets the newest progress.
    - Ctrl-C while one waits for it ends the program so that the same call resumes it, then raises
      KeyboardInterrupt; a second Ctrl-C kills it. Ctrl-C in the body of your own loop ends that loop alone: write
      `with bitlaw.train(...) as task:` around the loop, and it ends the program too.
    - It ends likewise with a `with` block, with `stop()`, once the task is garbage collected, and with Python, even if
      that is killed. Where it is killed itself, for example for want of memory, Python goes on.

    Attributes: words (of the command line).
    """

    def __init__(
        self, words: Sequence[str], progress: Callable[[Json], Event], result: Callable[[Json, list[str]], Result]
    ) -> None:
        self.words: list[str] = list(words)
        self._progress = progress
        self._make = result
        self._child = _Child(words)
        self._finalizer = weakref.finalize(self, self._child.abandon)
        self._last: Event | None = None
        self._stopped = False
        self._made: list[Result] = []
        self.files: list[Any] = []  # that the program reads

    # ---- progress ----

    def __iter__(self) -> Task[Event, Result]:
        return self

    def __next__(self) -> Event:
        """Waits for progress. Raises Error where the program fails, in its own sentence."""
        event = self._wait(None)
        if event is None:
            if not self._stopped:
                self._document()
            raise StopIteration
        return event

    def _wait(self, seconds: float | None) -> Event | None:
        """The next event; None once the program has ended, or after that time."""
        if os.getpid() != self._child.owner:
            raise Error("the task belongs to the process that started it, and this is a fork of that")
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                over = self._child.ended.is_set()  # before the last look at the pipe
                line = self._child.newest_line()
                if line is not None:
                    self._last = self._progress(line)
                    return self._last
                left = _LOOK_SECONDS if end is None else min(_LOOK_SECONDS, end - time.monotonic())
                if over or left <= 0:
                    return None
                self._child.wait_for_line(left)
        except KeyboardInterrupt:
            self._interrupted()
            raise

    @property
    def progress(self) -> Event | None:
        """The newest progress, without waiting; None before the first."""
        line = self._child.newest_line()
        if line is not None:
            self._last = self._progress(line)
        return self._last

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return not self._child.ended.is_set()

    @property
    def notes(self) -> list[str]:
        """What the program has said so far, besides progress and errors."""
        lines = self._child.text(self._child.errors).splitlines()
        return [line.removeprefix("note: ") for line in lines if line and not line.startswith("bitlaw: ")]

    # ---- end ----

    def _interrupted(self) -> None:
        self._stopped = True
        self._child.terminate()
        try:
            self._child.ended.wait()
        except KeyboardInterrupt:
            self._child.process.kill()
            self._child.ended.wait()

    def stop(self) -> None:
        """Ends the program and waits for that: what can be resumed is saved, and the same call resumes it."""
        if self.running:
            self._interrupted()

    def __enter__(self) -> Task[Event, Result]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def document(self) -> Json:
        """What the program printed with --json, once it has ended. Raises Error where it failed."""
        if self.running:
            raise Error("the task has not ended; `.result()` waits for it")
        return self._document()

    def result(self, show: bool | None = None) -> Result:
        """Waits for the end.

        show: a bar of tqdm where that is installed, else a line on standard error. None: in a notebook and on a
            terminal.

        After `stop()`, what there is so far. Raises Error where the program failed, in its own sentence.
        """
        with _Shown(show) as shown:
            while (event := self._wait(None)) is not None:
                shown.update(event)
        if not self._made:
            document = self._document()
            self._made.append(self._make(document, self.notes))
        return self._made[0]

    def _document(self) -> Json:
        child = self._child
        status = child.process.returncode
        verb = f"bitlaw {self.words[0]}"
        if status < 0 and not (self._stopped and -status == signal.SIGTERM):
            name = signal.Signals(-status).name
            memory = "was there not enough memory? " if -status == signal.SIGKILL and not self._stopped else ""
            raise Error(f"{verb} was killed by the signal {name}; {memory}the same call resumes from the last saved "
                        "state")
        text = child.text(child.output).strip()
        try:
            document = json.loads(text) if text else None
        except ValueError:
            document = None
        if not isinstance(document, dict) or document.get("trouble"):
            raise Error(self._sentence(status))
        if status == 130 and not self._stopped:
            raise Error(f"{verb} was stopped by a signal before its end; the same call resumes it")
        return document

    def _sentence(self, status: int) -> str:
        lines = [line for line in self._child.text(self._child.errors).splitlines() if line.startswith("bitlaw: ")]
        if not lines:
            return ("the program was stopped before it had anything to resume" if self._stopped
                    else f"bitlaw {self.words[0]} ended with status {status} and no sentence")
        said = lines[-1].removeprefix("bitlaw: ").removeprefix("the command line: ")
        for file in self.files:  # a dictionary, to whom it was given
            said = said.replace(f"{file.name}: ", "study: ")
        return _keywords(said)

    def __repr__(self) -> str:
        event = self.progress
        state = "running" if self.running else "ended"
        how_far = "" if event is None else f", {100 * event.share:.0f} %"
        return f"<bitlaw.Task {self._label(event)}: {state}{how_far}>"

    def _label(self, event: Event | None) -> str:
        return self.words[0] if event is None else event.label

    def _repr_html_(self) -> str:
        event = self.progress
        share = 0.0 if event is None else event.share
        note = "" if event is None else event.note
        return (f"<p>{escape(self._label(event))} <progress value='{share:.3f}'></progress> "
                f"{escape(note)} {'running; <code>.result()</code> waits' if self.running else 'ended'}</p>")


def _keywords(sentence: str) -> str:
    """--log-steps, as an option is typed on the command line, is the keyword log_steps here."""
    import re

    return re.sub(r"(?<![\w-])--([a-z][a-z-]*)", lambda found: found.group(1).replace("-", "_"), sentence)


class _Shown:
    """Progress for a person, while `result()` waits."""

    def __init__(self, show: bool | None) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._show = (self._terminal or _in_notebook()) if show is None else show
        self._bar: Any = None
        self._said = ""
        self._redraws = self._terminal or _in_notebook()
        self._next = 0.0  # in a log, when a line is due

    def __enter__(self) -> _Shown:
        return self

    def update(self, event: Progress) -> None:
        if not self._show:
            return
        if self._bar is None:
            self._bar = _tqdm() or self
        if self._bar is self:
            self._plain(event)
            return
        self._bar.set_description_str(event.label, refresh=False)
        self._bar.set_postfix_str(_left(event) + event.note, refresh=False)
        self._bar.n = round(event.share, 4)
        self._bar.refresh()

    def _plain(self, event: Progress) -> None:
        said = f"{event.label} {100 * event.share:3.0f} %  {_left(event)}{event.note}"
        now = time.monotonic()
        if self._redraws:
            print(f"\r{said:<{len(self._said)}}", end="", file=sys.stderr, flush=True)
        elif now >= self._next or event.document.get("finished"):
            print(said, file=sys.stderr, flush=True)
            self._next = now + _LOG_SECONDS
        self._said = said

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is self:
            if self._redraws:
                print(file=sys.stderr)
        elif self._bar is not None:
            self._bar.close()


def _left(event: Progress) -> str:
    """"1:02:03 left  "; "" if it cannot be told."""
    if event.seconds_left is None:
        return ""
    return f"{datetime.timedelta(seconds=round(event.seconds_left))} left  "


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return found is not None and type(found).__name__ == "ZMQInteractiveShell"


def _tqdm() -> Any:
    """A bar, or None where tqdm is not installed. In a notebook without widgets, one of text."""
    widgets = _in_notebook() and importlib.util.find_spec("ipywidgets") is not None
    try:
        made = importlib.import_module("tqdm.notebook" if widgets else "tqdm").tqdm
    except ImportError:
        return None
    return made(total=1.0, file=sys.stderr, bar_format="{desc} {percentage:3.0f}% |{bar}|{postfix}")
