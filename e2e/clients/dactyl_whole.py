"""Calls every method of py-dactyl's client for the Client API, whatever its version, and fails if one
was left out.

usage: dactyl_whole.py URL KEY SERVER PASSWORD DATABASES

SERVER is offline. DATABASES is `yes` where the panel has a database host. Prints one line for each
class that worked; any failure is an exception.
"""

import inspect
import json
import sys
import time

import requests
import websocket
from pydactyl import PterodactylClient
from pydactyl.api.client.account.base import Account
from pydactyl.api.client.servers import backups, base, databases, files, network, schedules
from pydactyl.api.client.servers import settings, startup, users
from pydactyl.exceptions import PterodactylApiError

PATIENCE = 60
"""Seconds that anything may take."""

CLASSES = [
    Account,
    base.ServersBase,
    backups.Backups,
    databases.Databases,
    files.Files,
    network.Network,
    schedules.Schedules,
    settings.Settings,
    startup.Startup,
    users.Users,
]

left = set()


def watch(cls):
    """Notes which of a class's methods are never called."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name.startswith("_") or name not in vars(cls):
            continue
        left.add((cls.__name__, name))

        def watched(*args, _method=method, _key=(cls.__name__, name), **kwargs):
            left.discard(_key)
            return _method(*args, **kwargs)

        setattr(cls, name, watched)


def main(url, key, server, password, with_databases):
    for cls in CLASSES:
        watch(cls)
    client = PterodactylClient(url, key).client
    server_api = client.servers

    drive_servers(server_api, url, server)
    drive_files(server_api.files, server)
    if with_databases == "yes":
        drive_databases(server_api.databases, server)
    else:
        left.difference_update({entry for entry in left if entry[0] == "Databases"})
    drive_network(server_api.network, server)
    drive_schedules(server_api.schedules, server)
    drive_startup(server_api.startup, server)
    drive_users(server_api.users, server)
    drive_backups(server_api, server)
    drive_settings(server_api, server)
    # Last: a new password ends the consoles and links that are out.
    drive_account(client.account, password)
    assert not left, f"never called: {sorted(left)}"
    print("nothing left out")


def drive_account(account, password):
    before = account.get_account()["attributes"]
    email = "elsewhere@example.com"
    assert account.update_email(email, password).status_code == 204
    assert account.get_account()["attributes"]["email"] == email
    account.update_email(before["email"], password)
    changed = password + " and more"
    assert account.update_password(password, changed, changed).status_code == 204
    account.update_password(changed, password, password)

    created = account.api_key_create("from py-dactyl", ["127.0.0.1"])
    identifier = created["attributes"]["identifier"]
    assert len(identifier + created["meta"]["secret_token"]) == 48, created
    assert identifier in [entry["identifier"] for entry in account.api_key_list()]
    assert account.api_key_delete(identifier).status_code == 204
    assert identifier not in [entry["identifier"] for entry in account.api_key_list()]

    assert account.get_2fa_setup_code()["data"]["image_url_data"].startswith("otpauth://totp/")
    # The library sends no password, which the panel requires.
    refused(lambda: account.enable_2fa("000000"), "password")
    # The library deletes what is to be posted to another address.
    refused(lambda: account.disable_2fa(password), "405")
    print("account")


def drive_servers(servers, url, server):
    listed = servers.list_servers(params={"per_page": 1})
    assert server in [entry["attributes"]["identifier"] for entry in listed.collect()]
    assert "start" in servers.list_permissions()["attributes"]["permissions"]["control"]["keys"]
    assert servers.get_server(server)["identifier"] == server
    assert servers.get_server(server, detail=True)["meta"]["is_server_owner"] is True
    included = servers.get_server(server, includes=["egg", "subusers"])
    assert included["relationships"]["egg"]["object"] == "egg", included

    console = servers.get_websocket(server)["data"]
    socket = websocket.create_connection(console["socket"], origin=url, timeout=PATIENCE)
    socket.send(json.dumps({"event": "auth", "args": [console["token"]]}))
    heard(socket, "auth success", "")
    assert servers.send_power_action(server, "start").status_code == 204
    heard(socket, "status", "running")
    assert servers.send_console_command(server, "say from py-dactyl").status_code == 204
    heard(socket, "console output", "from py-dactyl")
    assert servers.get_server_utilization(server)["current_state"] == "running"
    detailed = servers.get_server_utilization(server, detail=True)
    assert detailed["object"] == "stats", detailed
    servers.send_power_action(server, "restart")
    heard(socket, "status", "offline")
    heard(socket, "status", "running")
    servers.send_power_action(server, "stop")
    heard(socket, "status", "offline")
    socket.close()
    if hasattr(servers, "get_websocket_client"):
        with servers.get_websocket_client(server) as client:
            client._ws.settimeout(PATIENCE)
            first = next(client.listen(events=["auth success"]))
            assert first["event"] == "auth success", first
    print("servers")


def drive_files(files, server):
    def names(path=None):
        return [entry["attributes"]["name"] for entry in files.list_files(server, path)["data"]]

    text = "gr\u00fc\u00dfe\n"
    files.create_folder(server, "attic")
    files.write_file(server, "/attic/notes.txt", text.encode())
    # The text is no JSON, so the library gives the whole answer, or nothing when it insists on JSON.
    contents = files.get_file_contents(server, "/attic/notes.txt")
    assert contents == {} or contents.content == text.encode(), contents
    files.copy_file(server, "/attic/notes.txt")
    assert sorted(names("/attic")) == ["notes copy.txt", "notes.txt"], names("/attic")
    files.rename_file(server, "notes copy.txt", "second.txt", "/attic")
    link = files.download_file(server, "/attic/second.txt")
    assert requests.get(link).content == text.encode()
    sent = requests.post(
        files.get_upload_file_url(server) + "&directory=/attic", files={"files": ("egg.txt", b"warm")}
    )
    sent.raise_for_status()
    archive = files.compress_files(server, ["attic"])["attributes"]["name"]
    files.delete_files(server, ["attic"])
    assert "attic" not in names()
    files.decompress_file(server, archive)
    assert sorted(names("/attic")) == ["egg.txt", "notes.txt", "second.txt"]
    files.delete_files(server, ["attic", archive])
    print("files")


def drive_databases(databases, server):
    created = databases.create_database(server, "dactyl")["attributes"]
    plain = databases.list_databases(server)["data"]
    assert "relationships" not in plain[0]["attributes"], plain
    # A list of one's own: the library adds to the one that it was given, also to its default.
    listed = databases.list_databases(server, include_passwords=True, includes=[])["data"]
    password = listed[0]["attributes"]["relationships"]["password"]["attributes"]["password"]
    assert len(password) == 24, listed
    rotated = databases.rotate_database_password(server, created["id"])["attributes"]
    assert rotated["relationships"]["password"]["attributes"]["password"] != password
    assert databases.delete_database(server, created["id"]).status_code == 204
    assert databases.list_databases(server)["data"] == []
    print("databases")


def drive_network(network, server):
    first = network.list_allocations(server)["data"][0]["attributes"]
    added = network.assign_allocation(server)["attributes"]
    noted = network.set_allocation_note(server, added["id"], "query port")["attributes"]
    assert noted["notes"] == "query port", noted
    primary = network.set_primary_allocation(server, added["id"])["attributes"]
    assert primary["is_default"] is True, primary
    network.set_primary_allocation(server, first["id"])
    network.unassign_allocation(server, added["id"])
    assert len(network.list_allocations(server)["data"]) == 1
    print("network")


def drive_schedules(schedules, server):
    times = {"minute": "*/5", "hour": "*", "day_of_week": "*", "day_of_month": "*", "month": "*"}
    created = schedules.create_schedule(server, "Nightly", **times, is_active=False)["attributes"]
    number = created["id"]
    changed = schedules.update_schedule(server, number, "Daily", **times, is_active=True)
    assert changed["attributes"]["name"] == "Daily", changed
    task = schedules.create_task(server, number, "command", "say hello")["attributes"]
    task = schedules.update_task(server, number, task["id"], "power", "stop", "5")["attributes"]
    assert (task["action"], task["time_offset"]) == ("power", 5), task
    details = schedules.get_schedule_details(server, number)["attributes"]
    assert len(details["relationships"]["tasks"]["data"]) == 1, details
    assert schedules.run_schedule(server, number).status_code == 202
    wait(lambda: not schedules.get_schedule_details(server, number)["attributes"]["is_processing"])
    schedules.delete_task(server, number, task["id"])
    schedules.delete_schedule(server, number)
    assert schedules.list_schedules(server)["data"] == []
    print("schedules")


def drive_startup(startup, server):
    variables = startup.list_variables(server)
    assert variables["meta"]["startup_command"], variables
    editable = [entry["attributes"] for entry in variables["data"] if entry["attributes"]["is_editable"]]
    for variable in editable[:1]:
        value = variable["server_value"] or variable["default_value"]
        changed = startup.update_variable(server, variable["env_variable"], value)
        assert changed["attributes"]["server_value"] == value, changed
    if not editable:
        refused(lambda: startup.update_variable(server, "NOTHING", "x"), "does not exist")
    print("startup")


def drive_users(users, server):
    made = users.create_user(server, "friend@example.com", ["control.start"])["attributes"]
    assert sorted(made["permissions"]) == ["control.start", "websocket.connect"], made
    assert made["uuid"] in [entry["attributes"]["uuid"] for entry in users.list_users(server)["data"]]
    assert users.get_user(server, made["uuid"])["attributes"]["email"] == "friend@example.com"
    updated = users.update_user(server, made["uuid"], ["control.stop"])["attributes"]
    assert "control.stop" in updated["permissions"], updated
    assert users.delete_user(server, made["uuid"]).status_code == 204
    assert users.list_users(server)["data"] == []
    print("users")


def drive_backups(servers, server):
    backups = servers.backups
    servers.files.write_file(server, "/kept.txt", b"kept")
    made = backups.create_backup(server)["attributes"]["uuid"]

    def finished():
        return backups.get_backup_detail(server, made)["attributes"]["completed_at"]

    wait(finished)
    detail = backups.get_backup_detail(server, made)["attributes"]
    assert detail["is_successful"] is True, detail
    link = backups.get_backup_download(server, made)["attributes"]["url"]
    assert requests.get(link).content[:2] == b"\x1f\x8b"
    if hasattr(backups, "restore_backup"):
        servers.files.delete_files(server, ["kept.txt"])
        assert backups.restore_backup(server, made, False).status_code == 204
        wait(lambda: servers.get_server(server)["status"] is None)
        content = requests.get(servers.files.download_file(server, "/kept.txt")).content
        assert content == b"kept", content
    backups.delete_backup(server, made)
    assert backups.list_backups(server)["data"] == []
    print("backups")


def drive_settings(servers, server):
    assert servers.settings.rename_server(server, "Renamed").status_code == 204
    assert servers.get_server(server)["name"] == "Renamed"
    assert servers.settings.reinstall_server(server).status_code == 202
    wait(lambda: servers.get_server(server)["is_installing"] is False)
    print("settings")


def heard(socket, name, part):
    """Reads events until one of that name contains the text."""
    while True:
        event = json.loads(socket.recv())
        args = event.get("args") or [""]
        if event["event"] == name and any(part in text for text in args):
            return


def refused(call, part):
    """What the library gets wrong is refused, and that is all."""
    try:
        call()
    except (PterodactylApiError, requests.HTTPError) as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"was accepted, though {part!r} was to be told")


def wait(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


main(*sys.argv[1:])
