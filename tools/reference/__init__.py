"""Writes the reference pages of the documentation from the code that they describe.

One module a source (resource, scenario, command line, codes, operator, chart, dependencies); each gives whole pages as
text and knows nothing of files. `PAGES` is what `tools/generate.py` writes and checks.
"""

from __future__ import annotations

from collections.abc import Callable

from reference import chart, codes, commands, conditions, dependencies, operator, scenario, simulation, tick

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/simulation.md": simulation.simulation_page,
    "docs/reference/epidemic-parameters.md": scenario.scenario_page,
    "docs/reference/epidemic-tick.md": tick.tick_page,
    "docs/reference/civlab-cli.md": commands.civlab_page,
    "docs/reference/parpour-cli.md": commands.parpour_page,
    "docs/reference/devcluster-cli.md": commands.devcluster_page,
    "docs/reference/exit-codes.md": codes.exit_codes_page,
    "docs/reference/error-codes.md": codes.error_codes_page,
    "docs/reference/conditions.md": conditions.conditions_page,
    "docs/reference/chart-values.md": chart.chart_page,
    "docs/reference/operator.md": operator.operator_page,
    "docs/reference/dependencies.md": dependencies.dependencies_page,
}
