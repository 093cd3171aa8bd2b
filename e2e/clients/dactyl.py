"""Drives a server by the published library py-dactyl, as its documentation shows.

usage: dactyl.py URL KEY SERVER

Prints one line for each thing that worked; any failure is an exception.
"""

import sys

from pydactyl import PterodactylClient

PATIENCE = 60
"""Seconds that the console may be silent."""


def main(url, key, server):
    panel = PterodactylClient(url, key)
    servers = panel.client.servers

    listed = servers.list_servers().collect()
    assert server in [entry["attributes"]["identifier"] for entry in listed], listed
    print("listed")

    permissions = servers.list_permissions()["attributes"]["permissions"]
    assert "start" in permissions["control"]["keys"], permissions
    viewed = servers.get_server(server)
    assert viewed["identifier"] == server, viewed
    detailed = servers.get_server(server, detail=True)
    assert detailed["meta"]["is_server_owner"] is True, detailed
    included = servers.get_server(server, includes=["egg", "subusers"])
    assert included["relationships"]["egg"]["object"] == "egg", included
    print("viewed")

    files = panel.client.servers.files
    text = "gr\u00fc\u00dfe\nfrom py-dactyl\n"
    files.write_file(server, "/notes.txt", text.encode())
    answer = files.get_file_contents(server, "/notes.txt", json=False)
    assert answer.content == text.encode(), answer.content
    names = [entry["attributes"]["name"] for entry in files.list_files(server)["data"]]
    assert "notes.txt" in names, names
    files.create_folder(server, "attic")
    files.rename_file(server, "notes.txt", "attic/notes.txt")
    names = [entry["attributes"]["name"] for entry in files.list_files(server, "/attic")["data"]]
    assert names == ["notes.txt"], names
    link = files.download_file(server, "/attic/notes.txt")
    assert panel.client._session.get(link).content == text.encode()
    upload = files.get_upload_file_url(server)
    sent = panel.client._session.post(
        upload + "&directory=/attic", files={"files": ("egg.txt", b"warm")}
    )
    sent.raise_for_status()
    assert files.get_file_contents(server, "/attic/egg.txt", json=False).content == b"warm"
    files.delete_files(server, ["attic"])
    names = [entry["attributes"]["name"] for entry in files.list_files(server)["data"]]
    assert "attic" not in names, names
    print("files")

    with servers.get_websocket_client(server) as console:
        console._ws.settimeout(PATIENCE)
        events = console.listen()
        # The wrong names that the library's helpers send are ignored.
        console.get_status()
        console.get_logs()
        console.get_stats()

        servers.send_power_action(server, "start")
        wait(events, "status", "running")
        print("started")

        servers.send_console_command(server, "say hello from py-dactyl")
        wait(events, "console output", "hello from py-dactyl")
        console.send_command("say hello over the socket")
        wait(events, "console output", "hello over the socket")
        print("followed the console")

        used = servers.get_server_utilization(server)
        assert used["current_state"] == "running", used
        assert used["resources"]["memory_bytes"] > 0, used
        print("resources")

        servers.send_power_action(server, "stop")
        wait(events, "status", "offline")
        print("stopped")

    account = panel.client.account
    assert account.get_account()["attributes"]["username"], "no username"
    assert account.api_key_list(), "no keys"
    print("account")


def wait(events, name, part):
    """Reads events until one of that name contains the text."""
    for event in events:
        if event["event"] == name and any(part in text for text in event.get("args", [])):
            return
    raise AssertionError(f"the console closed before {name} {part!r}")


main(*sys.argv[1:])
