"""Polls a server the way a home-automation integration does: a list once, then the server, what it
uses and sometimes a power action, every few moments for ever, through refusals and outages.

usage: poller.py URL KEY SERVER ROUNDS

Prints one line of JSON for each thing that it came to know. Standard library alone, so that nothing
hides how often it is refused.
"""

import json
import sys
import time
import urllib.error
import urllib.request

PAUSE = 0.2
"""Seconds between two rounds; such an integration waits longer, and nothing else changes."""

ATTEMPTS = 30
"""How often one request is tried before the integration gives up."""


class Poller:
    def __init__(self, url, key):
        self.url = url
        self.key = key
        self.refused = 0
        self.failed = 0

    def call(self, method, path, body=None):
        """Asks until there is an answer, and waits as long as it is told to."""
        for _ in range(ATTEMPTS):
            request = urllib.request.Request(
                self.url + "/api/client" + path,
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={
                    "Authorization": "Bearer " + self.key,
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                },
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    content = answer.read()
                    return json.loads(content) if content else None
            except urllib.error.HTTPError as error:
                detail = json.loads(error.read())["errors"][0]
                if error.code == 429:
                    self.refused += 1
                    assert detail["code"] == "ThrottleRequestsException", detail
                    assert error.headers["X-RateLimit-Remaining"] == "0", error.headers
                    time.sleep(int(error.headers["Retry-After"]))
                elif error.code >= 500:
                    self.failed += 1
                    time.sleep(PAUSE)
                else:
                    raise AssertionError((error.code, detail)) from error
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                # The panel restarts.
                self.failed += 1
                time.sleep(PAUSE)
        raise AssertionError(f"{method} {path} was never answered")


def tell(**known):
    print(json.dumps(known), flush=True)


def main(url, key, server, rounds):
    poller = Poller(url, key)
    listed = poller.call("GET", "")
    names = {entry["attributes"]["identifier"]: entry["attributes"] for entry in listed["data"]}
    assert listed["meta"]["pagination"]["total"] == len(names), listed["meta"]
    tell(listed=names[server]["name"])

    viewed = poller.call("GET", f"/servers/{server}")["attributes"]
    assert viewed["uuid"].startswith(server), viewed
    tell(memory=viewed["limits"]["memory"], suspended=viewed["is_suspended"])

    state = None
    signals = {"offline": "start", "running": "stop"}
    seen = []
    for _ in range(int(rounds)):
        used = poller.call("GET", f"/servers/{server}/resources")["attributes"]
        resources = used["resources"]
        if used["current_state"] != state:
            state = used["current_state"]
            seen.append(state)
            tell(state=state, memory=resources["memory_bytes"] > 0)
            if seen.count("offline") == 2:
                break
            if state in signals:
                poller.call("POST", f"/servers/{server}/power", {"signal": signals[state]})
        time.sleep(PAUSE)
    tell(refused=poller.refused > 0, failed=poller.failed > 0)


main(*sys.argv[1:])
