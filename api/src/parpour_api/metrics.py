"""Figures for Prometheus. Labels come from lists in the code: never a tenant, an actor, a path or a caller's text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = ("GET", "POST", "HEAD", "OPTIONS")


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "parpour_api_requests_total", "Requests", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "parpour_api_request_seconds",
            "Seconds until the answer was sent",
            ["route"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 25),
            registry=self.registry,
        )
        self.refusals = Counter(
            "parpour_api_refusals_total", "Refusals of whole requests", ["code"], registry=self.registry
        )
        self.mutations = Counter(
            "parpour_api_mutations_total", "Mutations by outcome", ["field", "code"], registry=self.registry
        )
        self.sockets = Counter(
            "parpour_api_sockets_closed_total", "WebSockets by how they ended", ["code"], registry=self.registry
        )
        self.cost = Histogram(
            "parpour_api_operation_cost",
            "Static cost of GraphQL operations, in points",
            buckets=(1, 5, 20, 50, 100, 200, 500, 1000, 2000),
            registry=self.registry,
        )

    def answered(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self.requests.labels(route, method if method in METHODS else "other", str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' format."""
        return generate_latest(self.registry)
