"""`parpour treasury incident`: the post-mortem of an agent, a payee or a whole venture, from files alone."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from parpour_cli.auditing import CONTRADICTED, lost, opened, printable
from parpour_cli.faults import CliError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from parpour_cli.options import Frame
    from parpour_treasury.auditing.incident import Followed, Incident
    from parpour_treasury.spending.containing import Cause


def incident_command(
    frame: Frame,
    folder: Path,
    *,
    keys: tuple[Path, ...],
    kept: Path | None,
    accepted: tuple[bytes, ...],
    cause: Cause,
    since: datetime | None,
    until: datetime | None,
    bundle: Path | None,
) -> int:
    """Tell what happened, and write the bundle if one is wanted; returns the exit code.

    Raises:
        CliError: a file cannot be read or written, or is not what it should be; CHAIN_… if the history proves nothing.
    """
    from parpour_treasury.auditing.incident import investigate

    audited = opened(folder, keys=keys, kept=kept, accepted=accepted)
    incident = investigate(audited, cause, since=since, until=until)
    if bundle is not None:
        write_bundle(incident, folder, bundle)
    frame.answer(document(incident), lambda: drawn(incident))
    return CONTRADICTED if incident.proof.findings else 0


def write_bundle(incident: Incident, folder: Path, bundle: Path) -> None:
    """A new folder: the document, the page, and the audit folder that both were made from.

    Raises:
        CliError: INCIDENT_UNWRITABLE.
    """
    from parpour_treasury.auditing.handing import FILES
    from parpour_treasury.auditing.incident_page import incident_page

    try:
        bundle.mkdir(parents=True)
        (bundle / "incident.json").write_text(incident.to_json(), encoding="ascii", newline="\n")
        (bundle / "incident.html").write_bytes(incident_page(incident))
        (bundle / "audit").mkdir()
        for name in FILES:
            shutil.copyfile(folder / name, bundle / "audit" / name)
    except OSError as fault:
        raise CliError("INCIDENT_UNWRITABLE", str(fault), remedy="name a folder that is not there yet") from None


def document(incident: Incident) -> object:
    """The incident for machines."""
    import json

    return json.loads(incident.to_json())


def drawn(incident: Incident) -> RenderableType:
    """The incident for people: who stopped what, and every spend with its end."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from parpour_treasury.auditing.incident_page import moment

    proof = incident.proof
    head = [
        f"venture   {incident.venture}",
        f"cause     {printable(incident.cause)}",
        f"time      {moment(incident.since)} to {moment(incident.until)}",
        f"proof     {proof.events} events proven, {proof.unproven} came after the last checkpoint",
        *(
            f"measure   {moment(one.at)} {printable(one.actor)} {one.type.removeprefix('treasury.')}"
            for one in incident.measures
        ),
    ]
    table = Table(box=None, pad_edge=False)
    for name in ("spend", "amount", "by", "when stopped", "now", "decided again", "still to come"):
        table.add_column(name, justify="right" if name == "amount" else "left")
    for one in incident.spends:
        table.add_row(*(Text(cell) for cell in row_of(one)))
    same = all(judged.same for one in incident.spends for judged in one.decisions)
    tail = [
        *(lost(one) for one in proof.losses),
        *(printable(str(one)) for one in proof.findings),
        "verified" if same and not proof.findings else "NOT VERIFIED",
    ]
    return Group(Text("\n".join(head)), Text(""), table, Text(""), Text("\n".join(tail)))


def row_of(one: Followed) -> tuple[str, ...]:
    """A spend's line."""
    from parpour_treasury.auditing.incident_page import money

    spend = one.spend
    return (
        str(spend.spend_id)[:8],
        money(spend.amount, spend.currency),
        printable(spend.actor),
        one.at_containment.value if one.at_containment else "",
        spend.state.value,
        "the same" if all(judged.same for judged in one.decisions) else "DIFFERS",
        one.fate,
    )


def read_moment(text: str) -> datetime:
    """A time as somebody writes it; UTC, if no zone is said.

    Raises:
        ValueError: if it is none.
    """
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
