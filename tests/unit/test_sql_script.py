"""Cutting SQL scripts: semicolons hide in quotes, bodies and comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.sql_script import SqlScriptError, Statement, split

PIECES = (
    "select 1",
    "insert into t values ('a;b', 'it''s -- no comment')",
    "select E'a\\';b' as x",
    'alter table "odd;name" add "q""; " int',
    "do $$ begin perform 1; end; $$",
    "create function f() returns void as $body$ select $$;$$; $body$ language sql",
    "select 1 /* a; /* nested; */ comment */ + 2",
    "select a$b$c, $1 from t",
    "select 1 -- then; a comment\n + 2",
)


@pytest.mark.parametrize("piece", PIECES)
def test_one_statement_stays_whole(piece):
    assert split(f"{piece};") == [Statement(piece, 1)]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([";\n", ";", "\n;\n\n"]))))
def test_a_script_is_its_statements(parts):
    script = "".join(piece + end for piece, end in parts)
    statements = split(script)
    assert [statement.text for statement in statements] == [piece for piece, _ in parts]
    lines = script.split("\n")
    for statement in statements:
        first = statement.text.split("\n")[0]
        assert first in lines[statement.line - 1]


@given(st.text(alphabet="a;'\"$-/*\n\\Ee ", max_size=40))
def test_garbage_is_cut_or_refused(script):
    try:
        statements = split(script)
    except SqlScriptError:
        return
    for statement in statements:
        assert statement.text in script


def test_lines_count_from_the_first_word():
    script = "-- about\n\nselect 1;\n-- more\n  select\n 2;\n\n/* block */ select 3"
    assert [s.line for s in split(script)] == [3, 5, 8]
    assert split("  \n-- nothing\n ;; ") == []


@pytest.mark.parametrize("script", ["select 'a", 'select "a', "do $x$ a $$", "select 1 /* /* */"])
def test_what_is_not_closed_is_refused(script):
    with pytest.raises(SqlScriptError, match="line 2"):
        split(f"select 1;\n{script}")
