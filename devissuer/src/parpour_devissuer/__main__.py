"""`python -m parpour_devissuer`: serve tokens to this machine until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from parpour_devissuer.guard import LiveKeysFound, refuse_live_keys
from parpour_devissuer.serving import IssuerServer

REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m parpour_devissuer", description="Issues tokens for development, to programs on this machine."
    )
    parser.add_argument("--port", type=int, default=8090, help="0 takes any that is free")
    parser.add_argument("--audience", default="parpour")
    parser.add_argument(
        "--credentials",
        type=Path,
        action="append",
        default=[],
        help="a folder with keys of payment providers; live ones keep this from starting (repeatable)",
    )
    options = parser.parse_args(arguments)
    try:
        refuse_live_keys(os.environ, options.credentials)
    except (LiveKeysFound, FileNotFoundError) as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    with IssuerServer(
        port=options.port, audience=options.audience, clock=time.time, new_id=lambda: str(uuid4())
    ) as server:
        print(server.issuer.url, flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
