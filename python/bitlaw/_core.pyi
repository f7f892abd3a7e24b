from typing import Any

version: str

def ask(question: str, frame: Any | None = None, threads: int = 0) -> str: ...
