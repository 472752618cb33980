"""What `helm test` asks: are the services ready, does the bus take a worker's report and no more, does the store store.

It speaks with the workers' own credentials, so that a passing test means that a worker can do its work.
"""

import asyncio
import os
import sys
import urllib.request
import uuid

import nats
import obstore

PROBE = f"check-{uuid.uuid4().hex[:8]}"


def check_ready(address: str) -> str:
    """A service says that it is ready."""
    with urllib.request.urlopen(address + "/readyz", timeout=10) as answer:
        return f"ready ({answer.status})"


async def check_bus() -> str:
    """A worker may report progress, and may not read the stream."""
    client = await nats.connect(
        os.environ["BUS_URL"],
        user=os.environ["BUS_USER"],
        password=os.environ["BUS_PASSWORD"],
        inbox_prefix="_INBOX_" + os.environ["BUS_USER"],
        allow_reconnect=False,
        connect_timeout=10,
    )
    try:
        acknowledged = await client.jetstream().publish(f"platform.progress.{PROBE}.0", b"{}")
        try:
            await client.request(f"$JS.API.STREAM.INFO.{acknowledged.stream}", timeout=1)
        except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
            return f"took a report into {acknowledged.stream}, and keeps the stream to the operator"
        raise AssertionError("a worker's account may read the stream")
    finally:
        await client.close()


def check_store() -> str:
    """An object can be made once, read and deleted."""
    store = obstore.store.from_url(os.environ["STORE_URL"])
    obstore.put(store, PROBE, b"probe", mode="create")
    try:
        assert bytes(obstore.get(store, PROBE).bytes()) == b"probe"
        try:
            obstore.put(store, PROBE, b"other", mode="create")
        except obstore.exceptions.AlreadyExistsError:
            return "keeps an object, and refuses to make it twice"
        raise AssertionError("the store overwrote an object that was to be made once")
    finally:
        obstore.delete(store, PROBE)


def main() -> int:
    """Run the checks that are configured; returns the exit status."""
    checks = {"operator": lambda: check_ready(os.environ["OPERATOR_URL"])}
    if "API_URL" in os.environ:
        checks["treasury"] = lambda: check_ready(os.environ["API_URL"])
    if "BUS_URL" in os.environ:
        checks["bus"] = lambda: asyncio.run(check_bus())
    if "AWS_ACCESS_KEY_ID" in os.environ:
        checks["store"] = check_store
    failed = False
    for name, check in checks.items():
        try:
            print(f"ok    {name}: {check()}")
        except Exception as error:  # noqa: BLE001 - each part is reported, whatever is wrong with it
            failed = True
            print(f"fail  {name}: {type(error).__name__}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
