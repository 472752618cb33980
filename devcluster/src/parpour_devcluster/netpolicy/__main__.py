"""Runs the enforcer inside a cluster's network namespace."""

from __future__ import annotations

import argparse
import logging
from ipaddress import IPv4Network
from pathlib import Path

from parpour_devcluster.api import KubernetesClient
from parpour_devcluster.netpolicy.agent import Agent, hook, iptables_restore, serve_gate


def main() -> None:
    """Reads the command line and enforces until it is killed."""
    parser = argparse.ArgumentParser(prog="network-policy", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--pod-range", type=IPv4Network, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    hook(pod_range=options.pod_range)
    agent = Agent(KubernetesClient(options.kubeconfig), pod_range=options.pod_range, restore=iptables_restore)
    serve_gate(agent, options.socket)
    agent.run()


if __name__ == "__main__":
    main()
