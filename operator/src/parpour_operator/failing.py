"""Says why a Job failed, in one reason and one sentence, from the Job and its failed pods.

The worker's termination message is the best witness; where there is none (killed, or an image that never spoke) the
exit code and the kubelet's reason have to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from parpour_contracts.exitcodes import EXIT_TABLE, ExitCode
from parpour_operator.accepting import camel
from parpour_operator.observing import Job, Pod

_FATAL = frozenset(int(row.code) for row in EXIT_TABLE if row.policy == "FailJob")
_MEANING = {int(row.code): row.meaning for row in EXIT_TABLE}


def explain_failure(job: Job, pods: Iterable[Pod], *, memory_remedy: str) -> tuple[str, str]:
    """(reason, message) of the Failed condition.

    `memory_remedy` says what to do where a pod's memory was too small, which differs from Job to Job.
    """
    if job.reason == "DeadlineExceeded":
        return "DeadlineExceeded", "spec.activeDeadlineSeconds: the run took longer; raise it or lower the work"
    words = last_words(job, pods, memory_remedy=memory_remedy)
    return words or (job.reason or "JobFailed", job.message or "the Job failed and left no pod to ask")


def last_words(job: Job, pods: Iterable[Pod], *, memory_remedy: str) -> tuple[str, str] | None:
    """(reason, message) from the Job's failed pods, while it goes on too; None if none has failed."""
    ended = [pod for pod in pods if pod.job == job.name and pod.exit_code not in (None, 0)]
    witness = max(ended, key=_weight, default=None)
    if witness is None:
        return None
    where = f"shard {witness.index}" if witness.index is not None else f"pod {witness.name}"
    said = witness.termination
    if witness.exit_code in _FATAL and said is not None:
        return camel(said.code), f"{said.message or said.code} ({where})"
    if witness.exit_reason == "OOMKilled" or (said is not None and said.code == "OUT_OF_MEMORY"):
        return "OutOfMemory", f"{where} ran out of memory in its last attempt; {memory_remedy}"
    last = f"{said.code}: {said.message}" if said is not None else _guess(witness)
    tries = sum(1 for pod in ended if pod.index == witness.index)
    failed = f"{where} failed {tries} times; its last attempt" if witness.index is not None else _count(ended, where)
    return "RetriesExhausted", f"{failed} ended with {last}"


def _count(ended: list[Pod], last: str) -> str:
    return last if len(ended) == 1 else f"{len(ended)} pods failed; the last, {last},"


def _weight(pod: Pod) -> tuple[bool, bool, float, str]:
    """A verdict on the spec before everything, then an attempt that counted, then the latest."""
    ended = pod.ended.timestamp() if pod.ended else 0.0
    return (pod.exit_code in _FATAL, pod.exit_code != ExitCode.STOPPED_WITH_WORK_LEFT, ended, pod.name)


def _guess(pod: Pod) -> str:
    code = pod.exit_code or 0
    meaning = _MEANING.get(code, f"{pod.exit_reason or 'no reason given'}")
    return f"exit code {code} ({meaning})"
