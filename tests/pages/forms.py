"""Reads a page without a browser: what its form would send, and what stands at which field."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The fields of a page's forms, and the sentences at them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.notices: list[str] = []
        self._select = self._area = self._error = ""
        self._in_notice = self._in_template = False
        self.feed(html)
        self.errors = {name: text.strip() for name, text in self.errors.items() if text.strip()}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        one = {name: value or "" for name, value in attributes}
        name = one.get("name", "")
        if tag == "template":
            self._in_template = True
        if self._in_template:
            return
        if tag == "input" and name and one.get("type") not in ("submit", "button"):
            if one.get("type") not in ("radio", "checkbox") or "checked" in one:
                self.fields[name] = one.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in one or self._select not in self.fields:
                self.fields[self._select] = one.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "div" and one.get("class", "").startswith("vs_error"):
            self._error = one["id"].removeprefix("error_")
        elif tag == "div" and one.get("class", "").startswith(("vs_notice", "thin_message")):
            self._in_notice = True
            self.notices.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._in_template = False
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""
        if tag == "div":
            self._error, self._in_notice = "", False

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data
        if self._error:
            self.errors[self._error] = self.errors.get(self._error, "") + data
        if self._in_notice:
            self.notices[-1] += data
