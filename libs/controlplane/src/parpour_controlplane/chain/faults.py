"""Every code with which a verifier rejects a history, and the place that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from parpour_controlplane.errors import ControlPlaneError

FAULTS: dict[str, str] = {
    "CHAIN_BLOCK_CHANGED": "the block is not the one that was sealed",
    "CHAIN_CAUSE_UNKNOWN": "the event names a cause that stands at no earlier position",
    "CHAIN_DROPPED": "it is missing, and later ones are there",
    "CHAIN_EVENT_CHANGED": "the event is not the one that was sealed",
    "CHAIN_EVENT_REPEATED": "an event of this id stands at an earlier position",
    "CHAIN_FORKED": "this is another history than the one that was signed",
    "CHAIN_INSERTED": "it is there, and has no place of its own",
    "CHAIN_KEY_RETIRED": "the checkpoint is signed by a key that had handed over to another",
    "CHAIN_KEY_UNKNOWN": "the checkpoint is signed by a key that is not trusted",
    "CHAIN_PAYLOAD_CHANGED": "the payload is not the one that was sealed",
    "CHAIN_REORDERED": "another one stands in its place, and it stands further on",
    "CHAIN_RESUMED": "the history goes on with less than was signed, which nobody has accepted",
    "CHAIN_RESUMPTION_GROUNDLESS": "the checkpoint resumes a history that has not lost what it says",
    "CHAIN_ROLLED_BACK": "the history ends before what was signed",
    "CHAIN_ROOT_MISMATCH": "the block's events are not the ones that were sealed",
    "CHAIN_SIGNATURE_INVALID": "the signature is not that of the key which the checkpoint names",
    "CHAIN_TENANT_MIXED": "it belongs to another tenant",
    "CHAIN_TRUNCATED": "it is missing, and so is everything after it",
    "CHAIN_UNLINKED": "it does not follow the one before",
    "CHAIN_UNSIGNED": "no checkpoint covers it",
}

Part = Literal["event", "block", "checkpoint", "kept checkpoint"]


@dataclass(frozen=True)
class Place:
    """Where in a history: an event by its position, a block or a checkpoint by its number; all count from 1."""

    part: Part
    number: int

    def __str__(self) -> str:
        return f"{self.part} {self.number}"


class ChainFault(ControlPlaneError):
    """A history is not what it should be: its stable code and the place."""

    def __init__(self, code: str, part: Part, number: int, detail: str = "") -> None:
        self.place = Place(part, number)
        """The first place, in the order in which a verifier looks, that contradicts the rest."""
        super().__init__(code, f"{self.place}: {detail or FAULTS[code]}")
