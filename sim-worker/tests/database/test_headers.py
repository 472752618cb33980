"""The header of a query: read exactly as written, and refused with the line to mend if it is not as declared."""

from __future__ import annotations

from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st

from civlab.database.queries import CHARTS, CHARTS_OF, Axis, Drawing, Query, parse_query, queries_of, query_of
from civlab.errors import CivlabError

from .conftest import ASKED

pytestmark = pytest.mark.unit

PACKAGE = Path(__file__).parents[2]
HEADER = "-- title: T\n-- shows: S\n-- source: W\n"
CHART = HEADER + "-- chart: line\n-- x: tick\n-- y: money | Money\n"

words = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="|"), min_size=1, max_size=12)
phrases = st.lists(words, min_size=1, max_size=6).map(" ".join)
columns = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
several = st.lists(columns, min_size=1, max_size=4, unique=True)


def refused(text: str) -> str:
    """What is said against a header."""
    with pytest.raises(CivlabError) as caught:
        parse_query("mine", text)
    assert (caught.value.code, caught.value.path) == ("QUERY_HEADER_WRONG", "mine.sql")
    return caught.value.message


def query_or_code(text: str) -> Query | str:
    """The query, or the code with which it is refused."""
    try:
        return parse_query("mine", text)
    except CivlabError as fault:
        return fault.code


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Any drawing that a header can declare."""
    chart = draw(st.sampled_from(CHARTS))
    allowed = {key for key, charts in CHARTS_OF.items() if chart in charts}
    y = draw(several)
    pair = st.lists(columns, min_size=2, max_size=2, unique=True)
    return Drawing(
        chart,
        Axis((draw(columns),), draw(phrases)),
        Axis(tuple(y), draw(phrases)),
        series=tuple(draw(several)) if draw(st.booleans()) else (),
        reference=tuple(draw(several)) if "reference" in allowed and draw(st.booleans()) else (),
        band=tuple(draw(pair)) if "band" in allowed and len(y) == 1 and draw(st.booleans()) else (),
        log=tuple(draw(st.lists(st.sampled_from(["x", "y"]), unique=True))) if "log" in allowed else (),
        fit="fit" in allowed and draw(st.booleans()),
    )


def written(drawing: Drawing) -> str:
    """The lines that declare a drawing."""
    lines = [f"-- chart: {drawing.chart}"]
    lines += [
        f"-- {key}: {', '.join(axis.columns)} | {axis.label}" for key, axis in (("x", drawing.x), ("y", drawing.y))
    ]
    lists = {"series": drawing.series, "reference": drawing.reference, "band": drawing.band, "log": drawing.log}
    lines += [f"-- {key}: {', '.join(names)}" for key, names in lists.items() if names]
    lines += ["-- fit: line"] if drawing.fit else []
    return "".join(f"{line}\n" for line in lines)


@given(title=phrases, shows=st.lists(phrases, min_size=1, max_size=3), source=phrases, drawing=drawings())
def test_a_header_is_read_as_it_was_written(title: str, shows: list[str], source: str, drawing: Drawing) -> None:
    told = "\n--   ".join(shows)
    text = f"-- title: {title}\n-- shows: {told}\n-- source: {source}\n{written(drawing)}SELECT 1\n"
    query = parse_query("mine", text)
    assert (query.title, query.shows, query.source) == (title, " ".join(shows), source)
    assert (query.drawing, query.check, query.sql) == (drawing, False, "SELECT 1")


@given(
    text=st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [*HEADER.splitlines(), *CHART.splitlines(), "--", "--  more", "-- fit: line", "SELECT 1", ""]
            )
            | st.text(max_size=20).map("-- chart: {}".format)
            | st.text(max_size=20).map("-- {}".format)
        ).map("\n".join),
    )
)
def test_any_text_is_a_query_or_refused_by_name(text: str) -> None:
    found = query_or_code(text)
    if isinstance(found, str):
        assert found == "QUERY_HEADER_WRONG"
    else:
        assert found.title
        assert found.sql in text.replace("\r\n", "\n")
        assert not (found.check and found.drawing)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1", "-- title"),
        (HEADER, "no SQL"),
        (HEADER + "-- tittle: U\nSELECT 1", "line 4: there is no `tittle`; did you mean `title`?"),
        (HEADER + "-- title: U\nSELECT 1", "line 4: `title` stands twice"),
        (HEADER + "--nothing\nSELECT 1", "line 4 is neither"),
        ("-- title:\n-- shows: S\n-- source: W\nSELECT 1", "-- title"),
        (HEADER + "-- expects: nothing\nSELECT 1", "`no rows`"),
        (CHART + "-- expects: no rows\nSELECT 1", "leave `chart` out"),
        (HEADER + "-- series: run\nSELECT 1", "add `-- chart: line"),
        (HEADER + "-- chart: pie\nSELECT 1", "line, bars"),
        (HEADER + "-- chart: line\n-- x: tick\nSELECT 1", "no `y`"),
        (HEADER + "-- chart: line\n-- x: a, b\n-- y: c\nSELECT 1", "more than one column in `x`"),
        (HEADER + "-- chart: line\n-- x: a\n-- y: C d\nSELECT 1", "'C d'"),
        (CHART + "-- fit: line\nSELECT 1", "only scatter and loglog"),
        (CHART + "-- band: low\nSELECT 1", "two columns"),
        (CHART + "-- band: low, low\nSELECT 1", "twice"),
        (CHART + "-- log: z\nSELECT 1", "x or y"),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    assert said in refused(text)


def test_comments_after_the_header_belong_to_the_sql() -> None:
    assert parse_query("mine", HEADER + "--\n-- why: so\nSELECT 1").sql == "--\n-- why: so\nSELECT 1"


@pytest.mark.parametrize("model", ASKED)
def test_a_model_ships_a_check_of_what_it_conserves_and_research_queries(model: str) -> None:
    shipped = {query.name: query for query in queries_of(model)}
    assert shipped["conservation"].check
    assert sum(query.drawing is not None for query in shipped.values()) >= 2


def test_an_unknown_query_is_answered_with_the_nearest() -> None:
    with pytest.raises(CivlabError, match="did you mean 'lorenz'") as caught:
        query_of("exchange", "lorentz")
    assert caught.value.code == "QUERY_UNKNOWN"


def test_the_wheel_has_every_query() -> None:
    files = {file.distribution_path for file in WheelBuilder(str(PACKAGE)).recurse_included_files()}
    shipped = {f"civlab/models/{model}/queries/{query.name}.sql" for model in ASKED for query in queries_of(model)}
    assert shipped
    assert shipped <= files
