"""`parpour treasury verify`: whether a venture's history and books are the ones that happened, from files alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parpour_cli.faults import CliError

if TYPE_CHECKING:
    from parpour_cli.options import Frame
    from parpour_controlplane.chain.checkpoints import Checkpoint
    from parpour_treasury.auditing.handing import Audited, Loss

CONTRADICTED = 1
RESUMED = "accept it if those who run it tell of that restore"
KEY_BYTES = 32


def verify_command(
    frame: Frame,
    folder: Path,
    *,
    keys: tuple[Path, ...],
    kept: Path | None,
    accepted: tuple[bytes, ...],
    keep: Path | None,
) -> int:
    """Audit a folder and say what was found; returns the exit code.

    Raises:
        CliError: a file cannot be read, or is not what it should be.
    """
    from rich.text import Text

    from parpour_controlplane.chain.faults import FAULTS

    try:
        found = opened(folder, keys=keys, kept=kept, accepted=accepted, keep=False)
    except CliError as fault:
        if fault.code not in FAULTS:
            raise
        said = fault.message
        frame.answer({"verified": False, "code": fault.code, "message": said}, lambda: Text(f"NOT VERIFIED: {said}"))
        return CONTRADICTED
    if keep is not None and found.history.checkpoint is not None and not found.findings:
        keep.write_text(f"{found.history.checkpoint.encode().hex()}\n")
    frame.answer(document(found), lambda: Text(shown(found)))
    return CONTRADICTED if found.findings else 0


def opened(
    folder: Path, *, keys: tuple[Path, ...], kept: Path | None, accepted: tuple[bytes, ...] = (), keep: bool = True
) -> Audited:
    """An audit folder whose history proved itself, with its events and journals kept or not.

    Raises:
        CliError: CHAIN_… with the place that contradicts the rest; AUDIT_… or EXPORT_MALFORMED for files that are none.
    """
    from parpour_controlplane.chain.faults import ChainFault
    from parpour_controlplane.errors import ControlPlaneError
    from parpour_treasury.auditing.handing import audit
    from parpour_treasury.refusals import TreasuryError

    try:
        checkpoint = read_checkpoint(kept) if kept else None
        public = [read_key(path) for path in keys]
        return audit(folder, public, kept=checkpoint, accepted=accepted, keep=keep)
    except ChainFault as fault:
        remedy = RESUMED if fault.code == "CHAIN_RESUMED" else "what it tells is not what was signed"
        raise CliError(fault.code, str(fault), remedy=remedy) from None
    except (ControlPlaneError, TreasuryError) as fault:
        raise CliError(fault.code, str(fault), remedy="export the audit folder anew") from None
    except OSError as fault:
        raise CliError("AUDIT_UNREADABLE", str(fault), remedy="name a folder that an audit was written to") from None


def document(found: Audited) -> dict[str, Any]:
    """The outcome for machines."""
    return {
        "verified": not found.findings,
        "events": found.history.events,
        "blocks": found.history.blocks,
        "erased": found.history.erased,
        "unproven": found.tail,
        "resumptions": [asdict(one) for one in found.losses],
        "accounts": len(found.books.accounts),
        "journals": len(found.books.journals),
        "holds": len(found.books.holds),
        "spends": len(found.dossier.spends),
        "decisions": sum(map(len, found.dossier.decisions.values())),
        "findings": [{"code": one.code, "place": one.place, "detail": one.detail} for one in found.findings],
    }


def shown(found: Audited) -> str:
    """The outcome for people."""
    books, dossier = found.books, found.dossier
    decisions = sum(map(len, dossier.decisions.values()))
    lines = [
        f"history   {found.history.events} events in {found.history.blocks} blocks are the ones that were signed",
        f"books     {len(books.accounts)} accounts, {len(books.journals)} journals, {len(books.holds)} holds",
        f"spends    {len(dossier.spends)} spends, {decisions} decisions, each decided again from its facts",
        f"unproven  {found.tail} events came after the last checkpoint",
    ]
    if found.history.erased:
        lines.append(f"erased    {found.history.erased} payloads: that they were there is proven, not what they said")
    lines += [lost(one) for one in found.losses]
    if found.findings:
        return "\n".join([*lines, *(printable(str(one)) for one in found.findings), "NOT VERIFIED"])
    return "\n".join([*lines, "verified: books and spends are what the events tell"])


def lost(one: Loss) -> str:
    """A line about what a history lost."""
    said = printable(f"{one.by}: {one.reason}")
    return f"resumed   events {one.first} to {one.last} were signed and are lost, as was accepted; {said}"


def printable(text: str) -> str:
    """Somebody's text as a terminal can be shown it."""
    return "".join(one if one.isprintable() else "?" for one in text)


def read_key(path: Path) -> bytes:
    """A public key of 64 hexadecimal digits.

    Raises:
        CliError: AUDIT_KEY_MALFORMED.
    """
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as fault:
        raise CliError("AUDIT_KEY_MALFORMED", f"{path}: {fault}", remedy="a key is 64 hexadecimal digits") from None
    if len(key) != KEY_BYTES:
        raise CliError("AUDIT_KEY_MALFORMED", f"{path}: {len(key)} bytes", remedy="a key is 64 hexadecimal digits")
    return key


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint that `--keep` wrote.

    Raises:
        CliError: AUDIT_CHECKPOINT_MALFORMED.
    """
    from parpour_controlplane.chain.checkpoints import Checkpoint

    try:
        return Checkpoint.decode(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as fault:
        remedy = "name a file that --keep wrote"
        raise CliError("AUDIT_CHECKPOINT_MALFORMED", f"{path}: {fault}", remedy=remedy) from None
