"""Put together what the site is built from: `make docs-site`.

The pages are written to be read in the repository. Here they get a navigation, the repository's own
pages (README and the like) and the files that they link to, so that no link leaves the site.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from navigation import PORTUGUESE, PORTUGUESE_HOME, SECTIONS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PROJECT = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "LICENSE": "project/licence.md",
}
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
MERMAID = "assets/mermaid.min.js"


class Stage:
    """One folder of pages, made anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = folder / "pages"
        self.has_mermaid = False

    def make(self, mermaid: Path | None) -> None:
        """Write everything. `mermaid`: the library that draws diagrams, None to show text."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.has_mermaid = mermaid is not None
        for path in sorted(DOCS.rglob("*.md")):
            self._page(path, str(path.relative_to(DOCS)))
        for name, staged in PROJECT.items():
            self._page(ROOT / name, staged)
        self._write("adr/README.md", decisions())
        for folder in ("images", "contracts"):
            shutil.copytree(DOCS / folder, self.pages / folder)
        if mermaid is not None:
            (self.pages / MERMAID).parent.mkdir()
            shutil.copy(mermaid, self.pages / MERMAID)
        settings = (DOCS / "mkdocs.yml").read_text("utf-8")
        nav = json.dumps(navigation(self.pages), ensure_ascii=False)
        (self.folder / "mkdocs.yml").write_text(f"{settings}nav: {nav}\n", "utf-8")

    def _page(self, source: Path, staged: str) -> None:
        text = source.read_text("utf-8")
        if source.name == "LICENSE":
            text = f"# Licence\n\n```text\n{text}```\n"
        up = "../" * staged.count("/")
        text = LINK.sub(lambda found: self._link(found, source, up), text)
        if "```mermaid" in text:
            if self.has_mermaid:  # before the theme, which would ask a server elsewhere for it
                text += f'\n<script src="{up}{MERMAID}"></script>\n'
            else:
                text = text.replace("```mermaid", "```text")
        self._write(staged, text)

    def _write(self, staged: str, text: str) -> None:
        path = self.pages / staged
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def _link(self, found: re.Match[str], source: Path, up: str) -> str:
        """Where a link of the repository leads on the site."""
        link, anchor = found[1], found[2] or ""
        if "://" in link or link.startswith("mailto:"):
            return found[0]
        target = (source.parent / link).resolve()
        name = str(target.relative_to(ROOT))
        if name in PROJECT:
            return up + PROJECT[name] + anchor
        if name == "docs/adr":
            return f"{up}adr/README.md"
        if target.is_relative_to(DOCS):
            return up + str(target.relative_to(DOCS)) + anchor
        return up + self._copy(target, name)

    def _copy(self, target: Path, name: str) -> str:
        """A file of the program's, as it is; a folder as the list of its files."""
        staged = f"files/{name}"
        if target.is_dir():
            files = [path for path in sorted(target.rglob("*")) if path.is_file()]
            for path in files:
                self._copy(path, str(path.relative_to(ROOT)))
            names = [path.relative_to(target.parent) for path in files]
            rows = [f"- [{each}]({each})" for each in names]
            self._write(f"{staged}.md", "\n".join([f"# {name}", "", *rows]) + "\n")
            return f"{staged}.md"
        if (self.pages / staged).exists():
            return staged
        (self.pages / staged).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(target, self.pages / staged)
        if target.suffix == ".md":
            self._page(target, staged)
        return staged


def decisions() -> str:
    """The list of decisions."""
    lines = ["# Decisions", "", "What could have been done otherwise, and why it was not.", ""]
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"


def navigation(pages: Path) -> list[dict[str, list[Any]]]:
    """Sections with their pages, as far as they are there; each page names itself."""
    sections: list[dict[str, list[Any]]] = []
    portuguese = [PORTUGUESE_HOME]
    for title, names in SECTIONS.items():
        found: list[Any] = [name for name in names if (pages / name).exists()]
        if title == "Inside":
            inner = [str(path.relative_to(pages)) for path in sorted((pages / "adr").glob("0*.md"))]
            found[found.index("adr/README.md")] = {"Decisions": ["adr/README.md", *inner]}
            found += [str(path.relative_to(pages)) for path in sorted(pages.glob("files/**/*.md"))]
        sections.append({title: found})
        translated = [f"pt-BR/{PORTUGUESE[name]}" for name in names if name in PORTUGUESE]
        portuguese += [name for name in translated if (pages / name).exists()]
    return [*sections, {"Português": portuguese}]


def main(folder: str, mermaid: str = "") -> None:
    """Stage into a folder."""
    library = Path(mermaid)
    Stage(Path(folder)).make(library if mermaid and library.is_file() else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
