"""What two ways of searching found, as one list."""

from __future__ import annotations

from esl_controller.knowledge.fusion import fused


def row(key: str, title: str = "Hours", number: int = 0) -> dict[str, object]:
    return {"passage_uuid": key, "title": title, "passage_number": number, "content": key}


def texts(ways: list[list[dict[str, object]]], limit: int = 9) -> list[str]:
    return [one.text for one in fused(ways, limit)]


def test_one_way_stays_as_it_is() -> None:
    assert texts([[row("c"), row("a"), row("b")]]) == ["c", "a", "b"]
    assert texts([[row("c"), row("a"), row("b")]], 2) == ["c", "a"]
    assert texts([]) == texts([[], []]) == []


def test_what_both_find_comes_before_what_one_finds_first() -> None:
    assert texts([[row("a"), row("b")], [row("c"), row("b")]]) == ["b", "a", "c"]


def test_equals_go_by_their_place_in_the_documents() -> None:
    ways = [[row("late", number=7)], [row("early", number=2)], [row("first", "Apples", 9)]]
    assert texts(ways) == ["first", "early", "late"]
