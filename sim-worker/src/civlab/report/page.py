"""The HTML report: one file, no script, nothing fetched, the same bytes for the same run.

Charts are inline SVG with text as text, so the page can be searched, zoomed and read aloud.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from html import escape

from matplotlib.figure import Figure

from civlab.models import report_of
from civlab.report import charts
from civlab.report.declaration import Chart, Outcome, Report, Section
from civlab.report.figures import POINTS, Figures
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from civlab.wording import bands_explained, counted
from parpour_contracts.simulation import DesignParameter

FEW_SECTIONS = 3
"""Sections from which on the page begins with links to them."""
MOST_LISTED = 32
"""Values of a varied parameter that the facts name one by one."""
STYLESHEET = """
:root{--ink:#1b2a3a;--muted:#5d6b7a;--line:#e3e8ee;--teal:#0f8b8d}
*{box-sizing:border-box}
body{margin:0;background:#f4f6f9;color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:28px;margin:0 0 4px}h2{font-size:17px;margin:34px 0 12px}
p.sub{color:var(--muted);margin:0 0 22px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px}
.card,.chart,table{background:#fff;border:1px solid var(--line);border-radius:10px}
.card{padding:14px 16px}.card b{display:block;font-size:23px;font-weight:650;letter-spacing:-.01em}
.card span{color:var(--muted);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:14px}
.chart{margin:0;padding:10px 12px}.chart svg{width:100%;height:auto;display:block}
.chart figcaption{color:var(--muted);font-size:12.5px;padding:2px 6px 4px}
table{border-collapse:separate;border-spacing:0;width:100%;overflow:hidden}
td,th{padding:7px 14px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
tr:last-child td,tr:last-child th{border-bottom:0}th{font-weight:600;width:210px}
code{font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;word-break:break-all}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin:22px 0 0}
nav a{color:var(--teal);text-decoration:none}nav a:hover,nav a:focus{text-decoration:underline}
@media(max-width:560px){main{padding:22px 14px 40px}.charts{grid-template-columns:1fr}
.cards{grid-template-columns:repeat(auto-fit,minmax(140px,1fr))}.card b{font-size:20px}
th{width:110px}td,th{padding:7px 9px}}
@media print{body{background:#fff}.chart,.card{break-inside:avoid}}
"""


def render_report(results: Results, *, rate: int | None = None) -> str:
    """The report's HTML. `rate` (agent-updates per second), where it is known, is listed among the facts."""
    spec, manifest = RunSpec.load(results.store), results.manifest
    report = report_of(spec.scenario.model)
    figures = report.figures(results, spec)
    size = f" of {spec.agents(0):,} {spec.results.size.unit}" if spec.scenario.agents_path else ""
    told = bands_explained(manifest.members)
    sections = [
        *report.sections,
        *([Section("What the parameters do", _effects(figures, report.outcome))] if figures.effects else []),
    ]
    titled = [(section.title, "".join(_chart(chart, figures) for chart in section.charts)) for section in sections]
    exactness = _exactness(figures, manifest.members)
    body = [
        f"<h1>{escape(manifest.title)}</h1>",
        f'<p class="sub">{counted(manifest.members, "member")}{size} over '
        f"{counted(manifest.ticks, spec.scenario.tick_name)}.{told and f' {told.capitalize()}.'}{exactness}</p>",
        f'<div class="cards">{"".join(_cards(results, report))}</div>',
        _contents([title for title, _ in titled]),
    ]
    body += [
        f'<h2 id="section-{number}">{title}</h2><div class="charts">{drawings}</div>'
        for number, (title, drawings) in enumerate(titled)
    ]
    facts = "".join(_facts(results, spec, report, rate))
    body.append(f'<h2 id="run">The run</h2><table>{facts}</table>')
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(manifest.title)} · civlab</title><style>{STYLESHEET}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _contents(titles: Sequence[str]) -> str:
    """Links to the sections; nothing where there are hardly any."""
    if len(titles) < FEW_SECTIONS:
        return ""
    links = [*((f"section-{number}", title) for number, title in enumerate(titles)), ("run", "The run")]
    listed = "".join(f'<a href="#{target}">{title}</a>' for target, title in links)
    return f'<nav aria-label="Sections">{listed}</nav>'


def _exactness(figures: Figures, members: int) -> str:
    """What the reader of a large ensemble's charts has to know; nothing where all of them are drawn exactly."""
    error = figures.blocks.error
    counted_in = f" They come from counts over all members and are right to {100 * error:.2g} %." if error else ""
    points = f" Charts with a point for each member draw {POINTS:,} of them." if members > POINTS else ""
    return counted_in + points + figures.fewer


def write_report(results: Results, *, rate: int | None = None) -> str:
    """Write `report.html` beside the run's tables; its address comes back."""
    results.store.put("report.html", render_report(results, rate=rate).encode())
    return results.store.address("report.html")


def _cards(results: Results, report: Report) -> Iterable[str]:
    for spread in results.manifest.metrics:
        mean, low, high = (
            _number(text, share=spread.unit == "share") for text in (spread.mean, spread.low, spread.high)
        )
        spread_over = f"<br>{low} to {high}" if results.manifest.members > 1 else ""
        yield f'<div class="card"><b>{mean}</b><span>{report.cards[spread.name]}{spread_over}</span></div>'


def _number(text: str, *, share: bool) -> str:
    value = float(text)
    text = f"{100 * value:.1f} %" if share else f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"
    return text.replace("-", "−")


def _effects(figures: Figures, outcome: Outcome) -> tuple[Chart, ...]:
    tornado = Chart(
        "tornado", partial(charts.draw_tornado, outcome=outcome), "Over all members; the sign is the direction.", 0.42
    )
    each = (
        Chart(
            f"effect{number}",
            partial(charts.draw_effect, effect=effect, outcome=outcome),
            f"Rank correlation {effect.correlation:+.2f}.",
        )
        for number, effect in enumerate(figures.effects)
    )
    return (*((tornado,) if len(figures.effects) > 1 else ()), *each)


def _chart(chart: Chart, figures: Figures) -> str:
    name = chart.name
    with charts.style(f"civlab-{name}"):
        figure = Figure(figsize=(5.9, 3.3))
        place = {"left": chart.left, "right": chart.right, "top": 0.89, "bottom": chart.bottom}
        chart.draw(figure.subplots(gridspec_kw=place), figures)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": name})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    words = escape(chart.caption)
    return f'<figure class="chart" role="img" aria-label="{words}">{svg}<figcaption>{words}</figcaption></figure>'


def variation(parameter: DesignParameter) -> str:
    """What values a parameter takes: all of them while they are few, else their ends."""
    if not parameter.values:
        return f"{parameter.name} from {parameter.minimum} to {parameter.maximum}"
    if len(parameter.values) <= MOST_LISTED:
        return f"{parameter.name} in {', '.join(parameter.values)}"
    ordered = sorted(parameter.values, key=Decimal)
    return f"{parameter.name} from {ordered[0]} to {ordered[-1]} at {len(ordered):,} points"


def _facts(results: Results, spec: RunSpec, report: Report, rate: int | None) -> Iterable[str]:
    manifest = results.manifest
    design = spec.ensemble.design
    varied = ", ".join(variation(parameter) for parameter in design.parameters)
    facts = [
        ("Digest", f"<code>{manifest.digest}</code>"),
        ("Run", f"<code>{manifest.run}</code>"),
        ("Scenario", f"<code>{manifest.scenario}</code>"),
        ("Seed", str(manifest.seed)),
        ("Design", escape(design.type.value + (f": {varied}" if varied else ""))),
        ("Parameters set", escape(", ".join(f"{path} = {text}" for path, text in spec.overrides) or "none")),
        ("Shards", str(manifest.shards)),
        ("Made by", escape(", ".join(f"civlab {by.version} on {by.backend}" for by in manifest.made_by))),
    ]
    facts += report.facts(results) if report.facts else []
    if rate:
        facts.append(("Rate", f"{rate / 1e6:,.1f} million agent-{spec.scenario.tick_name}s a second"))
    facts += [
        (f"Metric {h.name}", escape(f"{h.meaning} ({h.unit})" if h.unit else h.meaning)) for h in spec.results.headlines
    ]
    return (f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in facts)
