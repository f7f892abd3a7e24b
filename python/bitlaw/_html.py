"""Tables and lists for a notebook. Everything that is shown is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def cell(value: Any) -> str:
    """A number to four digits, text as it is, nothing for what is missing."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def paragraph(text: str, strong: str = "") -> str:
    begin = f"<b>{escape(strong)}</b> " if strong else ""
    return f"<p>{begin}{escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(each))}</td>" for each in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def items(texts: Iterable[Any]) -> str:
    listed = "".join(f"<li>{escape(str(each))}</li>" for each in texts)
    return f"<ul>{listed}</ul>" if listed else ""
