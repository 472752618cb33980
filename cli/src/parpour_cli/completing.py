"""What a shell completes a Simulation's name with."""

from __future__ import annotations

from pathlib import Path

from parpour_cli.cluster import Cluster, Target
from parpour_cli.faults import CliError


def simulation_names(
    beginning: str, *, namespace: str | None, context: str | None, kubeconfig: Path | None
) -> list[str]:
    """Names that begin so, sorted; none when the cluster does not answer, since a shell cannot show an error."""
    try:
        cluster = Cluster.connect(Target(kubeconfig=kubeconfig, context=context, namespace=namespace))
        items = cluster.items(cluster.simulations_path())
    except CliError:
        return []
    return sorted(name for item in items if (name := str(item["metadata"]["name"])).startswith(beginning))
