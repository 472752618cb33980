"""The objects that the operator creates for one Simulation, as plain manifests.

Names are fixed (`NAME-run`, `NAME-shards`, `NAME-collect`, `NAME-erase`), so a second creation meets the first one
instead of doubling it. Nothing here reads a Secret: pods name the Secrets and the kubelet mounts them.
"""

from __future__ import annotations

import math
from typing import Any

from parpour_contracts import API_VERSION
from parpour_contracts.exitcodes import EXIT_TABLE
from parpour_contracts.run import RUN_FILE, RunDocument
from parpour_contracts.simulation import KIND, Backend, SimulationSpec
from parpour_operator.accepting import cores, memory_limit
from parpour_operator.observing import NAME_LABEL, RESERVATION_ANNOTATION, UID_LABEL, WORKER_CONTAINER, Resource
from parpour_operator.settings import Settings

Manifest = dict[str, Any]

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
RUN_ANNOTATION = "parpour.dev/run"
RUN_DIRECTORY = "/etc/civlab"
BUS_DIRECTORY = "/var/run/secrets/parpour/bus"
WORKER_UID = 65_532
GRACE_SECONDS = 30
"""Time to write a checkpoint after SIGTERM; below the shortest notice of spot machines that we serve."""
GPU = "nvidia.com/gpu"
COLLECT_RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
COLLECT_RETRIES = 6
COLLECT_SECONDS = 600
"""Longest time that collecting may take in a run whose cost is limited."""
ERASE_SECONDS = 600
"""An erasure that takes longer is begun anew."""
ERASE_TTL = 60


def run_map_name(name: str) -> str:
    """Name of the ConfigMap with the run document."""
    return f"{name}-run"


def shards_name(name: str) -> str:
    """Name of the Indexed Job that runs the shards."""
    return f"{name}-shards"


def collect_name(name: str) -> str:
    """Name of the Job that verifies the shards' manifests and writes the run's."""
    return f"{name}-collect"


def erase_name(name: str) -> str:
    """Name of the Job that removes the run's results."""
    return f"{name}-erase"


def store_secret(spec: SimulationSpec, settings: Settings) -> str:
    """Name of the Secret with the output store's environment."""
    return spec.output.secret_name if spec.output else settings.store_secret


def labels(resource: Resource) -> dict[str, str]:
    """Labels of every child, by which they are listed and watched."""
    return {
        "app.kubernetes.io/name": "civlab-worker",
        "app.kubernetes.io/managed-by": "parpour",
        "app.kubernetes.io/part-of": "parpour",
        NAME_LABEL: resource.key.name,
        UID_LABEL: resource.uid,
    }


def _metadata(resource: Resource, name: str, *, owned: bool = True) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": resource.key.namespace, "labels": labels(resource)}
    if owned:
        metadata["ownerReferences"] = [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": resource.key.name,
                "uid": resource.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ]
    return metadata


def run_map(resource: Resource, document: RunDocument) -> Manifest:
    """The immutable ConfigMap with the run document."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(resource, run_map_name(resource.key.name)),
        "immutable": True,
        "data": {RUN_FILE: document.canonical().decode()},
    }


def failure_policy() -> Manifest:
    """The worker's exit codes as a Job's pod failure policy; the first matching rule decides.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    """

    def on_codes(action: str, policy: str) -> Manifest:
        values = sorted(int(row.code) for row in EXIT_TABLE if row.policy == policy)
        return {
            "action": action,
            "onExitCodes": {"containerName": WORKER_CONTAINER, "operator": "In", "values": values},
        }

    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            on_codes("FailJob", "FailJob"),
            on_codes("Ignore", "Ignore"),
        ]
    }


def shard_job(
    resource: Resource,
    spec: SimulationSpec,
    document: RunDocument,
    settings: Settings,
    *,
    reservation: str = "",
    deadline: int | None = None,
) -> Manifest:
    """The Indexed Job with one index a shard; `reservation` pays for it and `deadline` (seconds) bounds its cost."""
    metadata = _metadata(resource, shards_name(resource.key.name))
    if reservation:
        metadata["annotations"] = {RESERVATION_ANNOTATION: reservation}
    if spec.queue_name is not None:
        metadata["labels"][QUEUE_LABEL] = spec.queue_name
    job: Manifest = {
        "completionMode": "Indexed",
        "completions": document.shards,
        "parallelism": min(spec.parallelism or document.shards, document.shards),
        "backoffLimitPerIndex": spec.retries,
        "maxFailedIndexes": 0,
        "podFailurePolicy": failure_policy(),
        "podReplacementPolicy": "Failed",
        "suspend": spec.suspend or spec.queue_name is not None,
        "template": _template(
            resource,
            spec,
            settings,
            verb="shard",
            resources=_shard_resources(spec, document),
            image=settings.worker_cuda_image if document.backend is Backend.CUDA else settings.worker_image,
            threads=max(1, math.ceil(cores(spec))),
        ),
    }
    limit = deadline if deadline is not None else spec.active_deadline_seconds
    if limit is not None:
        job["activeDeadlineSeconds"] = limit
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}


def collect_job(resource: Resource, spec: SimulationSpec, settings: Settings, *, funded: bool = False) -> Manifest:
    """The one-pod Job that verifies and sums up; `funded` bounds its cost."""
    job: Manifest = {
        "backoffLimit": COLLECT_RETRIES,
        "podFailurePolicy": failure_policy(),
        "podReplacementPolicy": "Failed",
        "template": _template(resource, spec, settings, verb="collect", resources=COLLECT_RESOURCES),
    }
    if funded:
        job["activeDeadlineSeconds"] = COLLECT_SECONDS
    metadata = _metadata(resource, collect_name(resource.key.name))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}


def erase_job(resource: Resource, spec: SimulationSpec, document: RunDocument, settings: Settings) -> Manifest:
    """The one-pod Job that removes the run's prefix from the store.

    It owns itself: foreground deletion of the Simulation would collect an owned Job and the ConfigMap before the pod
    could start. So it lives by a time to live, and its document (without the scenario) travels as an annotation.
    """
    brief = document.model_copy(update={"scenario": "", "parameters": {}})
    template = _template(resource, spec, settings, verb="erase", resources=COLLECT_RESOURCES)
    template["metadata"]["annotations"] = {RUN_ANNOTATION: brief.canonical().decode()}
    field = {"fieldRef": {"fieldPath": f"metadata.annotations['{RUN_ANNOTATION}']"}, "path": RUN_FILE}
    template["spec"]["volumes"][0] = {"name": "run", "downwardAPI": {"items": [field]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(resource, erase_name(resource.key.name), owned=False),
        "spec": {
            "backoffLimit": COLLECT_RETRIES,
            "activeDeadlineSeconds": ERASE_SECONDS,
            "ttlSecondsAfterFinished": ERASE_TTL,
            "template": template,
        },
    }


def _shard_resources(spec: SimulationSpec, document: RunDocument) -> Manifest:
    requests, limits = dict(spec.resources.requests), dict(spec.resources.limits)
    memory = memory_limit(spec)
    if memory is not None:
        limits["memory"] = memory
    if document.backend is Backend.CUDA:
        limits.setdefault(GPU, "1")
    return {"requests": requests, "limits": limits}


def _template(
    resource: Resource,
    spec: SimulationSpec,
    settings: Settings,
    *,
    verb: str,
    resources: Manifest,
    image: str = "",
    threads: int = 1,
) -> Manifest:
    volumes: list[Manifest] = [
        {"name": "run", "configMap": {"name": run_map_name(resource.key.name)}},
        {"name": "scratch", "emptyDir": {"sizeLimit": settings.worker_scratch}},
    ]
    mounts: list[Manifest] = [
        {"name": "run", "mountPath": RUN_DIRECTORY, "readOnly": True},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the pod's own emptyDir
    ]
    if settings.bus_secret:
        secret = {"secretName": settings.bus_secret, "optional": True, "defaultMode": 0o440}
        volumes.append({"name": "bus", "secret": secret})
        mounts.append({"name": "bus", "mountPath": BUS_DIRECTORY, "readOnly": True})
    container: Manifest = {
        "name": WORKER_CONTAINER,
        "image": image or settings.worker_image,
        "imagePullPolicy": settings.worker_image_pull_policy,
        "command": ["civlab-worker", verb],
        "env": [
            {"name": "OMP_NUM_THREADS", "value": str(threads)},
            {"name": "CIVLAB_THREADS", "value": str(threads)},
        ],
        "envFrom": [{"secretRef": {"name": store_secret(spec, settings)}}],
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    }
    pod: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": settings.worker_service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": WORKER_UID,
            "runAsGroup": WORKER_UID,
            "fsGroup": WORKER_UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
        **_placement(spec, settings),
    }
    return {"metadata": {"labels": labels(resource)}, "spec": pod}


def _placement(spec: SimulationSpec, settings: Settings) -> Manifest:
    placement: Manifest = {
        "nodeSelector": dict(spec.node_selector),
        "tolerations": [toleration.to_wire() for toleration in spec.tolerations],
        "priorityClassName": spec.priority_class_name,
        "runtimeClassName": spec.runtime_class_name,
        "imagePullSecrets": [{"name": name} for name in settings.worker_image_pull_secrets],
    }
    return {name: value for name, value in placement.items() if value}
