"""Writes the reference pages of the documentation from the code that they describe.

One module a source (resource, scenario, command line, codes, API, operator, chart, dependencies); each gives whole
pages as text and knows nothing of files. `PAGES` is what `tools/generate.py` writes and checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from parpour_contracts.scenario import MODELS
from reference import (
    api,
    chart,
    codes,
    commands,
    conditions,
    dependencies,
    events,
    operator,
    queries,
    scenario,
    simulation,
    tick,
)

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/simulation.md": simulation.simulation_page,
    "docs/reference/venture.md": simulation.venture_page,
    **{f"docs/reference/{name}-parameters.md": partial(scenario.scenario_page, name) for name in MODELS},
    **{f"docs/reference/{name}-tick.md": partial(tick.tick_page, name) for name in MODELS},
    "docs/reference/queries.md": queries.queries_page,
    "docs/reference/civlab-cli.md": commands.civlab_page,
    "docs/reference/parpour-cli.md": commands.parpour_page,
    "docs/reference/devcluster-cli.md": commands.devcluster_page,
    "docs/reference/exit-codes.md": codes.exit_codes_page,
    "docs/reference/error-codes.md": codes.error_codes_page,
    "docs/reference/api.md": api.api_page,
    "docs/reference/events.md": events.events_page,
    "docs/reference/conditions.md": conditions.conditions_page,
    "docs/reference/chart-values.md": chart.chart_page,
    "docs/reference/operator.md": operator.operator_page,
    "docs/reference/dependencies.md": dependencies.dependencies_page,
}
