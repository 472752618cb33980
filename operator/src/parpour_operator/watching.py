"""Watches by kopf, which hands over events and does nothing else: no retries, no annotations, no posted events.

The registry is our own rather than kopf's default one, because the default looks for other client libraries and
imports them where they are installed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import kopf

from parpour_contracts import GROUP, VERSION, venture
from parpour_contracts.simulation import PLURAL
from parpour_operator.controlling import Change, Controller
from parpour_operator.observing import UID_LABEL
from parpour_operator.settings import Settings
from parpour_operator.ventures.reconciling import VentureController

CHUNK = 250
INACTIVITY_SECONDS = 70.0
"""Bookmarks come every 60 s; a stream that is silent for longer is dead and is opened anew."""
IDLE_SECONDS = 0.5
"""An object's worker goes when there is nothing more to hand over; nothing is worked on in it."""


async def watch(
    settings: Settings,
    controller: Controller,
    ventures: VentureController | None,
    *,
    stop: asyncio.Event,
    ready: asyncio.Event,
) -> None:
    """Hand events to the controllers until `stop`; returns when kopf has ended, for whatever reason."""
    await kopf.operator(
        registry=_registry(controller, ventures),
        settings=_kopf_settings(),
        standalone=True,
        clusterwide=not settings.watch_namespaces,
        namespaces=settings.watch_namespaces,
        stop_flag=stop,
        ready_flag=ready,
    )


def _registry(controller: Controller, ventures: VentureController | None) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def simulation(event: kopf.RawEvent, **_: Any) -> None:
        controller.simulation_event(event["object"], _change(event))

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def job(event: kopf.RawEvent, **_: Any) -> None:
        controller.job_event(event["object"], _change(event))

    if ventures is not None:
        _register_ventures(registry, ventures)
    return registry


def _register_ventures(registry: kopf.OperatorRegistry, ventures: VentureController) -> None:
    @kopf.on.event(GROUP, VERSION, venture.PLURAL, registry=registry)
    async def changed(event: kopf.RawEvent, **_: Any) -> None:
        ventures.event(event["object"])


def _change(event: kopf.RawEvent) -> Change:
    return "deleted" if event["type"] == "DELETED" else "changed"


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.chunk_size = CHUNK
    settings.watching.inactivity_timeout = INACTIVITY_SECONDS
    settings.watching.label_selectors["batch", "v1", "jobs"] = UID_LABEL
    settings.queueing.idle_timeout = IDLE_SECONDS
    settings.networking.enforce_retry_after = True
    return settings


def quiet_kopf() -> None:
    """kopf logs each handled event; we log decisions."""
    logging.getLogger("kopf").setLevel(logging.WARNING)
