"""Research queries: SQL files whose comment header says what they show, who says so, and how to draw it.

A model ships them in its folder (`models/MODEL/queries/NAME.sql`); a file of one's own with the same header works too.
The header is comments, so any SQL tool reads the file; it is declared strictly, so a misspelt line is an error and not
a chart without its axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from civlab.errors import CivlabError
from civlab.models import known

CHARTS = ("line", "bars", "scatter", "loglog", "lorenz")
REQUIRED = ("title", "shows", "source")
DRAWN = ("chart", "x", "y")
KEYS = (*REQUIRED, "expects", *DRAWN, "series", "reference", "band", "log", "fit")
EXPECTATIONS = ("rows", "no rows")
SUFFIX = ".sql"
CHARTS_OF = {
    "reference": ("line", "scatter", "loglog", "lorenz"),
    "band": ("line",),
    "log": ("line", "scatter"),
    "fit": ("scatter", "loglog"),
}
"""Keys that only some charts know, with those."""

ENTRY = re.compile(r"--\s?(?P<key>[a-z]+):\s*(?P<value>.*)")
CONTINUED = re.compile(r"--\s{2,}(?P<value>\S.*)")
COLUMN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Axis:
    """Columns along one axis of a chart, and what the axis is called."""

    columns: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Drawing:
    """How a query's rows are drawn.

    `chart` is one of CHARTS. Rows with equal values of the `series` columns make one line or set of points, one for
    each column of `y`. `reference` are columns of what is expected, drawn once and dashed; `band` those between which
    the chart of one y is shaded; axes in `log` ("x", "y") are logarithmic; `fit` draws the line of least squares
    through each series, of the logarithms in a loglog chart.
    """

    chart: str
    x: Axis
    y: Axis
    series: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    band: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    fit: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the rows must have."""
        return tuple(dict.fromkeys((*self.x.columns, *self.y.columns, *self.series, *self.reference, *self.band)))


@dataclass(frozen=True)
class Query:
    """A research query: `source` is where the measure comes from; a `check` must answer no row."""

    name: str
    title: str
    shows: str
    source: str
    sql: str
    check: bool = False
    drawing: Drawing | None = None


def queries_of(model: str) -> tuple[Query, ...]:
    """The queries that a model ships, by name; raises KeyError for a model that no scenario can name."""
    folder = resources.files("civlab.models").joinpath(known(model), "queries")
    if not folder.is_dir():
        return ()
    files = sorted((file for file in folder.iterdir() if file.name.endswith(SUFFIX)), key=lambda file: file.name)
    return tuple(parse_query(file.name.removesuffix(SUFFIX), file.read_text(encoding="utf-8")) for file in files)


def query_of(model: str, name: str) -> Query:
    """One query: of the model by its name, or of a file whose name ends in .sql.

    Raises CivlabError QUERY_UNKNOWN with the nearest name, or QUERY_HEADER_WRONG.
    """
    if name.endswith(SUFFIX):
        return _own(Path(name))
    shipped = {query.name: query for query in queries_of(model)}
    if name in shipped:
        return shipped[name]
    near = get_close_matches(name, shipped, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    message = f"the model {model} has no such query; {hint}it has {', '.join(shipped) or 'none'}"
    raise CivlabError("QUERY_UNKNOWN", name, message)


def parse_query(name: str, text: str) -> Query:
    """The query in a file's text. Raises CivlabError QUERY_HEADER_WRONG, which names the line to mend."""
    entries, sql = _split(name, text)
    for key in REQUIRED:
        if not entries.get(key):
            raise _wrong(name, f"has no `-- {key}: …` in its header; add it")
    expects = entries.get("expects", "rows")
    if expects not in EXPECTATIONS:
        raise _wrong(name, f"expects {expects!r}; write `rows` or `no rows`")
    if not sql:
        raise _wrong(name, "has no SQL after its header")
    check = expects == "no rows"
    drawing = _drawing(name, entries)
    if check and drawing is not None:
        raise _wrong(name, "expects no rows, so there is nothing to draw; leave `chart` out")
    return Query(name, entries["title"], entries["shows"], entries["source"], sql, check, drawing)


def _own(path: Path) -> Query:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise CivlabError("QUERY_UNKNOWN", str(path), "is no file that can be read; check its name") from None
    return parse_query(path.name.removesuffix(SUFFIX), text)


def _split(name: str, text: str) -> tuple[dict[str, str], str]:
    """Entries of the header by key, and the SQL after it."""
    entries: dict[str, str] = {}
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    header = list(_header(lines))
    last = ""
    for number, line in enumerate(header, 1):
        entry, more = ENTRY.fullmatch(line), CONTINUED.fullmatch(line)
        if entry is not None:
            last = entry["key"]
            if last not in KEYS:
                near = get_close_matches(last, KEYS, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else f"; known are {', '.join(KEYS)}"
                raise _wrong(name, f"line {number}: there is no `{last}`{hint}")
            if last in entries:
                raise _wrong(name, f"line {number}: `{last}` stands twice; keep one")
            entries[last] = entry["value"].strip()
        elif more is not None and last:
            entries[last] = f"{entries[last]} {more['value'].strip()}".strip()
        else:
            raise _wrong(name, f"line {number} is neither `-- key: value` nor goes on with one by two spaces")
    return entries, "\n".join(lines[len(header) :]).strip()


def _header(lines: list[str]) -> Iterator[str]:
    """The comments that a file begins with; a bare `--` or any other line ends them."""
    for line in lines:
        if not line.startswith("--") or not line.strip("- "):
            return
        yield line.rstrip()


def _drawing(name: str, entries: dict[str, str]) -> Drawing | None:
    chart = entries.get("chart")
    if chart is None:
        idle = [key for key in (*DRAWN, "series", *CHARTS_OF) if key in entries]
        if idle:
            raise _wrong(name, f"has `{idle[0]}` and no `chart`; add `-- chart: {' or '.join(CHARTS)}`")
        return None
    if chart not in CHARTS:
        raise _wrong(name, f"has a chart {chart!r}; write one of {', '.join(CHARTS)}")
    for key in DRAWN:
        if not entries.get(key):
            raise _wrong(name, f"has a chart and no `{key}`; add `-- {key}: column | label`")
    for key, charts in CHARTS_OF.items():
        if key in entries and chart not in charts:
            raise _wrong(name, f"has `{key}`, which only {' and '.join(charts)} know; leave it out")
    x, y = _axis(name, "x", entries["x"]), _axis(name, "y", entries["y"])
    listed = {key: _columns(name, key, entries[key]) for key in ("series", "reference", "band") if key in entries}
    if len(x.columns) != 1:
        raise _wrong(name, "has more than one column in `x`; keep one")
    if "band" in listed and (len(listed["band"]), len(y.columns)) != (2, 1):
        raise _wrong(name, "has a band that is not two columns about one `y`")
    log, fit = _chosen(name, "log", entries, ("x", "y")), _chosen(name, "fit", entries, ("line",))
    return Drawing(chart, x, y, **listed, log=log, fit=bool(fit))


def _axis(name: str, key: str, value: str) -> Axis:
    """`column, column | label`; without a label, the column's name in words."""
    listed, bar, label = value.partition("|")
    columns = _columns(name, key, listed)
    return Axis(columns, label.strip() if bar else columns[0].replace("_", " "))


def _columns(name: str, key: str, value: str) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in value.split(","))
    for column in columns:
        if not COLUMN.fullmatch(column):
            raise _wrong(name, f"names a column {column!r} in `{key}`; columns are lower-case words joined by `_`")
    if len(set(columns)) != len(columns):
        raise _wrong(name, f"names a column twice in `{key}`; keep one")
    return columns


def _chosen(name: str, key: str, entries: dict[str, str], choices: tuple[str, ...]) -> tuple[str, ...]:
    if key not in entries:
        return ()
    chosen = _columns(name, key, entries[key])
    if not set(chosen) <= set(choices):
        raise _wrong(name, f"has {entries[key]!r} as `{key}`; write {' or '.join(choices)}")
    return chosen


def _wrong(name: str, why: str) -> CivlabError:
    return CivlabError("QUERY_HEADER_WRONG", f"{name}{SUFFIX}", why)
