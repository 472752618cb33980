// Runs every server audit of graphql-http against URL with TOKEN, and prints one line of JSON for each.
import { serverAudits } from "graphql-http";

const [url, token] = [process.env.URL_TO_AUDIT, process.env.TOKEN];

function fetchFn(target, init = {}) {
  return fetch(target, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
}

for (const audit of serverAudits({ url, fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ id, name, status, reason: reason ?? null }));
}
