"""The operator's Prometheus metrics, in a registry of its own.

Labels are bounded: verbs, resources, codes, states; never the name of a Simulation, since a series a Simulation is what
fills a monitoring system.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """All metrics; one instance a process, another one a test."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        r = self.registry
        self.reconciles = Counter(
            "parpour_operator_reconciles", "Reconciliations by outcome (done, error, gone).", ["outcome"], registry=r
        )
        self.reconcile_seconds = Histogram(
            "parpour_operator_reconcile_seconds", "Duration of a reconciliation.", buckets=_SECONDS, registry=r
        )
        self.queue_seconds = Histogram(
            "parpour_operator_queue_seconds", "Time a key waited for a worker.", buckets=_SECONDS, registry=r
        )
        self.queue_depth = Gauge("parpour_operator_queue_depth", "Keys that wait for a worker.", registry=r)
        self.requests = Counter(
            "parpour_operator_api_requests",
            "Requests to the API server by verb, resource and status code.",
            ["verb", "resource", "code"],
            registry=r,
        )
        self.throttled_seconds = Counter(
            "parpour_operator_api_throttled_seconds", "Time that requests were held back.", registry=r
        )
        self.api_reached = Gauge(
            "parpour_operator_api_reached_timestamp_seconds", "When the API server last answered.", registry=r
        )
        self.watch_events = Counter(
            "parpour_operator_watch_events", "Watch events by resource.", ["resource"], registry=r
        )
        self.watch_missed = Counter(
            "parpour_operator_watch_missed", "Changes that a resync found and the watch had not told.", registry=r
        )
        self.watch_checked = Gauge(
            "parpour_operator_watch_checked_timestamp_seconds",
            "When a resync last found the watches up to date.",
            registry=r,
        )
        self.leader = Gauge("parpour_operator_leader", "1 if this replica is the active one.", registry=r)
        self.simulations = Gauge(
            "parpour_operator_simulations", "Unfinished Simulations by state.", ["state"], registry=r
        )
        self.finished = Counter(
            "parpour_operator_simulations_finished", "Simulations that finished, by state.", ["state"], registry=r
        )
        self.orphans = Counter(
            "parpour_operator_reservations_swept", "Reservations settled because their resource was gone.", registry=r
        )
        self.progress_messages = Counter(
            "parpour_operator_progress_messages",
            "Progress messages by verdict (taken, refused).",
            ["verdict"],
            registry=r,
        )
        self.bus_connected = Gauge("parpour_operator_bus_connected", "1 if the message bus is connected.", registry=r)
