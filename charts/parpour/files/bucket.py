"""Makes the bucket in the object store with the workers' own account, which then owns it; does nothing where it stands.

A signed request by hand (AWS Signature Version 4), because the clients of the worker image only read and write objects.
"""

import datetime
import hashlib
import hmac
import os
import sys
import time
import urllib.error
import urllib.request

DEADLINE_SECONDS = 120


def signed_put(
    endpoint: str, bucket: str, *, access: str, secret: str, region: str, now: datetime.datetime
) -> urllib.request.Request:
    """A CreateBucket request."""
    host = endpoint.split("://", 1)[1]
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(b"").hexdigest()
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": stamp}
    names = ";".join(headers)
    canonical = "\n".join(
        ["PUT", f"/{bucket}", "", *(f"{name}:{value}" for name, value in headers.items()), "", names, payload]
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=headers)


def main() -> int:
    """Ask until the store answers; returns the exit status."""
    environment = os.environ
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        request = signed_put(
            environment["AWS_ENDPOINT_URL"],
            environment["BUCKET"],
            access=environment["AWS_ACCESS_KEY_ID"],
            secret=environment["AWS_SECRET_ACCESS_KEY"],
            region=environment["AWS_REGION"],
            now=datetime.datetime.now(datetime.UTC),
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
            print("made the bucket")
            return 0
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if "BucketAlreadyOwnedByYou" in text:
                print("the bucket stands")
                return 0
            print(f"refused with status {error.code}: {text}", file=sys.stderr)
            if error.code < 500:
                return 1
        except OSError as error:
            print(f"no answer: {error}", file=sys.stderr)
        if time.monotonic() > deadline:
            return 1
        time.sleep(1)


if __name__ == "__main__":
    raise SystemExit(main())
