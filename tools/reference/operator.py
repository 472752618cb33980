"""The page of the operator: settings, metrics, permissions and ports, from its own declarations."""

from __future__ import annotations

import json

from parpour_operator.metrics import Metrics
from parpour_operator.permissions import PERMISSIONS
from parpour_operator.settings import PREFIX, Settings
from reference.markdown import cell, code, page, table

SCOPES = {
    "simulations": "where Simulations are served: a ClusterRole, or a Role in each watched namespace",
    "cluster": "the whole cluster, always",
    "ventures": "the whole cluster, where there is a treasury",
    "own": "the operator's own namespace",
}


def settings() -> str:
    """Every environment variable, with its default."""
    rows = []
    for name, field in Settings.model_fields.items():
        required = field.is_required()
        default = "**required**" if required else code(json.dumps(field.get_default()).strip('"'))
        rows.append((code(PREFIX + name.upper()), default, cell(field.description or "")))
    return (
        "## Settings\n\nEnvironment variables, read once at the start; the chart sets them, and `operator.env` adds to "
        "them. `parpour-operator --help` lists them, `--print-settings` shows the values in force. `PARPOUR_IDENTITY` "
        "falls back to `POD_NAME`, `PARPOUR_NAMESPACE` to `POD_NAMESPACE`.\n\n"
        + table(("Variable", "Default", "Meaning"), rows)
    )


def metrics() -> str:
    """Every metric of our own, as Prometheus sees it."""
    rows = []
    for family in Metrics().registry.collect():
        if not family.name.startswith("parpour_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        rows.append((code(name), family.type, cell(family.documentation)))
    return (
        "## Metrics\n\nServed at `/metrics` on the metrics port, beside `process_*` and `python_info`. No label holds "
        "the name of a Simulation.\n\n" + table(("Metric", "Type", "Meaning"), sorted(rows))
    )


def permissions() -> str:
    """What the operator may do."""
    parts = [
        "## Permissions",
        "No rule reads Secrets. `parpour-operator --print-permissions` prints the rules as JSON.",
    ]
    for scope, where in SCOPES.items():
        rows = [
            (
                code(f"{p.group + '/' if p.group else ''}{', '.join(p.resources)}")
                + (f" named {', '.join(map(code, p.names))}" if p.names else ""),
                ", ".join(p.verbs),
                cell(p.why),
            )
            for p in PERMISSIONS
            if p.scope == scope
        ]
        parts += [f"In {where}:", table(("Resources", "Verbs", "Why"), rows)]
    return "\n\n".join(parts)


def operator_page() -> str:
    """docs/reference/operator.md."""
    fields = Settings.model_fields
    ports = "## Endpoints\n\n" + table(
        ("Port", "Path", "Answers"),
        [
            (str(fields["health_port"].default), "`/livez`", "200 while the process is alive"),
            (
                str(fields["health_port"].default),
                "`/readyz`",
                "200 as leader with live watches of Simulations and Jobs or as standby, with the API server reached; "
                "else 503 and why",
            ),
            (str(fields["metrics_port"].default), "`/metrics`", "the metrics below"),
        ],
    )
    return page("Operator", ports, settings(), metrics(), permissions(), source="parpour_operator")
