"""Reads and cuts a document in a process of its own.

    python -m esl_controller.knowledge.reader FORMAT

The document comes on standard input; each passage goes out as one line of JSON, as it is written
and without its accents. A hostile PDF costs this process its time or its memory, and nobody else
anything.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import sys
from html.parser import HTMLParser

from esl_controller.knowledge.passages import cut, without_accents

FORMATS = ("text", "markdown", "html", "pdf")
MAX_DOCUMENT_BYTES = 8 << 20
MAX_TEXT_CHARS = 2_000_000
MAX_PAGES = 2000
CPU_S = 30
MEMORY_BYTES = 1 << 30
UNREADABLE = 3
"""Exit code: the document is not what it is said to be; the words are on standard error."""
_LEFT_OUT = {"script", "style", "template", "noscript", "nav", "svg", "head", "form"}
_BLOCKS = {"p", "div", "li", "tr", "section", "article", "br", "table", "ul", "ol", "dd", "dt"}
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}


class Unreadable(ValueError):
    """The document cannot be read; the text says why."""


def text_of(kind: str, document: bytes) -> str:
    """The text of a document; headings as in Markdown. Raises Unreadable."""
    if kind == "pdf":
        text = _of_pdf(document)
    elif kind == "html":
        text = _of_html(_decoded(document))
    else:
        text = _decoded(document)
    if not text.strip():
        raise Unreadable("holds no text; a scanned page has to be recognised first (OCR)")
    # A PDF may hold half of a character (a surrogate), which no encoding takes.
    return text[:MAX_TEXT_CHARS].encode(errors="replace").decode()


def passages_of(text: str) -> list[tuple[str, str]]:
    """The passages of a text, each as it is written and without accents."""
    return [(one, without_accents(one)) for one in cut(text)]


def _decoded(document: bytes) -> str:
    if document[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return document.decode("utf-16", errors="replace")
    if b"\x00" in document[:4096]:
        raise Unreadable("is no text")
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        return document.decode("cp1252", errors="replace")


def _of_pdf(document: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(document))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is protected by a password")
        pages, size = [], 0
        for page in reader.pages[:MAX_PAGES]:
            pages.append(page.extract_text())
            size += len(pages[-1])
            if size > MAX_TEXT_CHARS:
                break
        return "\n\n".join(pages)
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"is no PDF that can be read: {type(error).__name__}") from error


def _of_html(text: str) -> str:
    page = _Page()
    page.feed(text)
    page.close()
    return "".join(page.parts)


class _Page(HTMLParser):
    """What a reader sees of a web page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LEFT_OUT:
            self._hidden.append(tag)
        elif tag in _HEADINGS:
            self.parts.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag in _BLOCKS:
            self.parts.append("\n" if tag in ("br", "tr", "li") else "\n\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag in _HEADINGS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def main() -> None:
    """Read standard input, write the text."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    logging.disable()  # pypdf's remarks would stand before our words
    try:
        text = text_of(sys.argv[1], sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1))
    except Unreadable as error:
        sys.stderr.write(str(error))
        raise SystemExit(UNREADABLE) from None
    for passage in passages_of(text):
        sys.stdout.write(json.dumps(passage) + "\n")


if __name__ == "__main__":
    main()
