// Drives a server by the published library PteroJS, through everything that its client can do.
//
// usage: node drive.js URL KEY SERVER PASSWORD
//
// Prints one line for each part that worked; any failure ends it. Where the library itself is wrong,
// what it does is asserted as it is.

const assert = require("node:assert/strict");
const { createHmac } = require("node:crypto");
const { existsSync, mkdtempSync, readFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { PteroClient } = require("@devnote-dev/pterojs");

const [url, key, id, password] = process.argv.slice(2);
const client = new PteroClient(url, key, { fetchClient: true });
const folder = mkdtempSync(join(tmpdir(), "hatchery-pterojs-"));

/** Milliseconds that anything may take. */
const PATIENCE = 60_000;

async function until(what, ask) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert(Date.now() < deadline, `waited for ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The present code of a secret (RFC 6238). */
function code(secret) {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac("sha1", Buffer.from(bytes)).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

const parts = {
  async servers() {
    const all = await client.servers.fetch();
    assert(all.has(id), "the list lacks the server");
    const server = await client.servers.fetch(id, { force: true, include: ["egg", "subusers"] });
    // It looks for a field that is called otherwise.
    assert.equal(server.isOwner, undefined);
    assert.equal(server.installing, false);
    assert.equal(server.limits.memory, 1024);
    await server.rename("Renamed by PteroJS");
    assert.equal((await client.servers.fetch(id, { force: true })).name, "Renamed by PteroJS");
    const startup = await server.fetchStartup();
    assert.equal(typeof startup.startupCommand, "string");
    assert(Array.isArray(startup.variables));
    await assert.rejects(server.setVariable("NO_SUCH_VARIABLE", "x"));
    await assert.rejects(server.setDockerImage("no/such:image"));
    const [image] = Object.values(startup.dockerImages);
    await server.setDockerImage(image);
  },

  async files() {
    const { files } = await client.servers.fetch(id);
    const text = "grüße\nfrom PteroJS\n";
    await files.write("/notes.txt", text);
    assert.equal(await files.getContents("/notes.txt"), text);
    await files.copy("/notes.txt");
    assert.equal(await files.getContents("/notes copy.txt"), text);
    await files.createFolder("/", "attic");
    await files.rename("/", [{ from: "notes copy.txt", to: "attic/old.txt" }]);
    await files.chmod("/attic", [{ file: "old.txt", mode: 600 }]);
    const inside = await files.fetch("/attic");
    assert.deepEqual([...inside.keys()], ["old.txt"]);
    assert.equal(inside.get("old.txt").modeBits, 600n);
    assert.equal(inside.get("old.txt").mode, "-rw-------");
    const archive = await files.compress("/", ["attic", "notes.txt"]);
    assert.match(archive.name, /^archive-.*\.tar\.gz$/);
    await files.delete("/", ["attic", "notes.txt"]);
    await files.decompress("/", archive.name);
    assert.equal(await files.getContents("/attic/old.txt"), text);
    const saved = join(folder, "notes.txt");
    await files.download("/notes.txt", saved);
    assert.equal(readFileSync(saved, "utf8"), text);
    const upload = await files.getUploadURL("/attic");
    const form = new FormData();
    form.append("files", new Blob(["warm"]), "egg.txt");
    const sent = await fetch(`${upload}&directory=/attic`, { method: "POST", body: form });
    assert.equal(sent.status, 200);
    assert.equal(await files.getContents("/attic/egg.txt"), "warm");
    await files.delete("/", ["attic", "notes.txt", archive.name]);
    assert(!(await files.fetch("/")).has("attic"));
    await assert.rejects(files.getContents("/gone"));
  },

  async network() {
    const { network } = await client.servers.fetch(id);
    const [allocation] = (await network.fetch()).values();
    assert.equal(allocation.isDefault, true);
    // It reads the answer one level too high.
    const noted = await network.setNote(allocation.id, "the door");
    assert.equal(noted.attributes.notes, "the door");
    assert.equal(noted.id, undefined);
    const primary = await network.setPrimary(allocation.id);
    assert.equal(primary.attributes.isDefault, true);
    await assert.rejects(network.unassign(allocation.id));
  },

  async users() {
    const { users } = await client.servers.fetch(id);
    const hen = await users.add("hen@example.com", ["control.start"]);
    assert.equal(hen.email, "hen@example.com");
    assert.deepEqual(hen.permissions.value, ["control.start", "websocket.connect"]);
    assert((await users.fetch()).has(hen.uuid));
    const changed = await users.setPermissions(hen.uuid, ["control.stop"]);
    assert.deepEqual(changed.permissions.value, ["control.stop", "websocket.connect"]);
    assert.equal((await users.fetch(hen.uuid, { force: true })).permissions.hasAny("control.stop"), true);
    await users.remove(hen.uuid);
    assert.equal((await users.fetch()).size, 0);
  },

  async schedules() {
    const { schedules } = client;
    const made = await schedules.create(id, {
      name: "Nightly",
      active: true,
      minute: "0",
      hour: "4",
      month: "*",
    });
    assert.equal(made.cron.hour, "4");
    assert.equal(made.active, true);
    const task = await made.createTask("command", "say good night", 0);
    assert.equal(task.payload, "say good night");
    const changed = await made.updateTask(task.id, { action: "power", payload: "kill", offset: 0 });
    assert.equal(changed.payload, "kill");
    const fetched = await schedules.fetch(id, made.id, { force: true });
    assert.equal(fetched.tasks.size, 1);
    assert((await schedules.fetch(id)).has(made.id));
    // It sends PATCH, which the API does not know there.
    await assert.rejects(made.update({ name: "Daily" }));
    await made.execute();
    await made.deleteTask(task.id);
    await schedules.delete(id, made.id);
    assert.equal((await schedules.fetch(id)).size, 0);
  },

  async databases() {
    const { databases } = await client.servers.fetch(id);
    assert.equal((await databases.fetch({ include: ["password"] })).size, 0);
    // There is no host for any.
    await assert.rejects(databases.create("world", "%"));
    await assert.rejects(databases.rotate("nope"));
    await assert.rejects(databases.delete("nope"));
  },

  async backups() {
    const server = await client.servers.fetch(id);
    const { backups, files } = server;
    await files.write("/world.txt", "as it was");
    const made = await backups.create({ name: "first", ignored: "*.log" });
    assert.equal(made.name, "first");
    await until("the backup", async () => {
      const backup = await backups.fetch(made.uuid, { force: true });
      return backup.completedAt && backup.successful;
    });
    assert.equal((await backups.toggleLock(made.uuid)).locked, true);
    await assert.rejects(backups.delete(made.uuid));
    assert.equal((await backups.toggleLock(made.uuid)).locked, false);
    const saved = join(folder, "backup.tar.gz");
    await backups.download(made.uuid, saved);
    assert(existsSync(saved));
    await files.write("/world.txt", "ruined");
    // It sends no body, and the API wants to know whether to delete everything first.
    await assert.rejects(backups.restore(made.uuid), /truncate field is required/);
    await client.requests.post(`/servers/${id}/backups/${made.uuid}/restore`, { truncate: false });
    await until("the restored file", async () => {
      const { status } = await client.servers.fetch(id, { force: true });
      return status === undefined;
    });
    assert.equal(await files.getContents("/world.txt"), "as it was");
    await backups.delete(made.uuid);
    assert.equal((await backups.fetch()).size, 0);
  },

  async shard() {
    const server = await client.servers.fetch(id, { force: true });
    const shard = client.addSocketServer(id);
    const seen = { states: [], lines: [], errors: [], stats: [] };
    shard.on("error", (error) => seen.errors.push(error));
    shard.on("statusUpdate", (state) => seen.states.push(state));
    shard.on("serverOutput", (line) => seen.lines.push(line));
    shard.on("statsUpdate", (stats) => seen.stats.push(stats));
    const ready = new Promise((done) => shard.once("authSuccess", done));
    await shard.connect();
    await ready;
    const state = (wanted) => until(wanted, () => seen.states.at(-1) === wanted);
    const line = (part) => until(part, () => seen.lines.some((text) => text.includes(part)));
    await server.setPowerState("start");
    await state("running");
    await server.sendCommand("say hello from PteroJS");
    await line("hello from PteroJS");
    await shard.request("sendCommand", "say hello over the socket");
    await line("hello over the socket");
    const stats = await shard.request("sendStats");
    assert.equal(stats.state, "running");
    assert(stats.memoryBytes > 0);
    const used = await server.fetchResources();
    assert.equal(used.currentState, "running");
    assert(used.resources.memoryBytes > 0);
    await shard.request("sendLogs");
    await shard.refresh();
    await shard.request("setState", "stop");
    await state("offline");
    assert.deepEqual(seen.errors, []);
    client.removeSocketServer(id);
    client.disconnect();
  },

  async reinstall() {
    const server = await client.servers.fetch(id, { force: true });
    await server.reinstall();
    await until("the installation", async () => {
      const { installing } = await client.servers.fetch(id, { force: true });
      return !installing;
    });
  },

  // Last: links and sockets of before end with the old password.
  async account() {
    await client.connect();
    const { account } = client;
    assert.equal(account.username, "ada");
    assert.equal(account.isAdmin, true);
    await account.updateEmail("ada.l@example.com", password);
    assert.equal((await account.fetch()).email, "ada.l@example.com");
    const made = await account.createKey("from PteroJS", ["127.0.0.1"]);
    assert.equal((made.identifier + made.token).length, 48);
    const keys = await account.fetchKeys();
    assert.deepEqual(keys.find((k) => k.identifier === made.identifier).allowedIps, ["127.0.0.1"]);
    await account.deleteKey(made.identifier);
    assert(!(await account.fetchKeys()).some((k) => k.identifier === made.identifier));
    const pem = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIIDX09LmDLJ8bPcXR62IZxGmYXnYOJB2g4bLcoqkd1Y ada";
    const ssh = await account.createSSHKey("laptop", pem);
    assert.equal(ssh.name, "laptop");
    assert.equal((await account.fetchSSHKeys()).length, 1);
    await account.removeSSHKey(ssh.fingerprint);
    assert.equal((await account.fetchSSHKeys()).length, 0);
    const events = (await account.fetchActivities()).map((entry) => entry.event);
    assert(events.includes("user:account.email-changed"), events);
    const uri = await account.get2FACode();
    const secret = new URL(uri).searchParams.get("secret");
    assert.match(secret, /^[A-Z2-7]{16,}$/);
    await account.updatePassword(password, `${password} and more`);
    await account.updatePassword(`${password} and more`, password);
    const permissions = await client.fetchPermissions();
    assert("start" in permissions.control.keys);
    // It sends no password, which the API requires.
    await assert.rejects(account.enable2FA(code(secret)), /password field is required/i);
  },
};

(async () => {
  for (const [name, part] of Object.entries(parts)) {
    try {
      await part();
    } catch (error) {
      console.error(`${name}:`, error);
      process.exit(1);
    }
    console.log(name);
  }
  console.log("done");
  process.exit(0);
})();
