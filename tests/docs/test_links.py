"""Links and anchors lead somewhere, and every page has its place on the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import DOCS, PAGES, navigation


def broken(path: Path) -> list[str]:
    found = []
    for link in pages.links(path):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        there = (path.parent / target).resolve() if target else path
        is_page = there.suffix == ".md" and there.is_file()
        if not there.exists() or (anchor and not (is_page and anchor in pages.anchors(there))):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=pages.name)
def test_links_and_anchors_lead_somewhere(path: Path) -> None:
    assert broken(path) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Über `uns`\n\n[here](#über-uns) [gone](gone.md) [no](#nowhere)\n")
    assert broken(page) == ["gone.md", "#nowhere"]


def test_every_page_has_its_place() -> None:
    named = {name for names in navigation.SECTIONS.values() for name in names}
    named |= {f"pt-BR/{name}" for name in navigation.PORTUGUESE.values()}
    named.add(navigation.PORTUGUESE_HOME)
    made = {name for name in named if name.startswith("project/") or name == "adr/README.md"}
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    there = {name for name in there if not name.startswith("adr/")}
    assert there - named == set(), "docs/navigation.py says where a page stands"
    assert named - made - there == set()


def test_guides_are_in_both_languages_or_said_to_be_in_one() -> None:
    named = [name for names in navigation.SECTIONS.values() for name in names]
    alone = {*navigation.IN_ENGLISH_ALONE}
    assert {*named} == {*navigation.PORTUGUESE} | alone
    assert not {*navigation.PORTUGUESE} & alone
