-- The whole schema, once. Tables are STRICT. The same tables, columns and index names exist in ../postgres.
-- Unique indexes have names of their own, since errors name them on both engines.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    external_id TEXT,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    name_first TEXT,
    name_last TEXT,
    -- A PHC string of argon2id, or `$2y$` of bcrypt for imported users until they sign in.
    password TEXT NOT NULL,
    language TEXT NOT NULL,
    root_admin INTEGER NOT NULL,
    use_totp INTEGER NOT NULL,
    totp_secret TEXT,
    -- The step of the last accepted one-time code: it and earlier ones are refused.
    totp_last_step INTEGER,
    totp_authenticated_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_uuid ON users (uuid);
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_external_id ON users (external_id);

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- 1 client, 2 application (client-api.md §1.4).
    key_type INTEGER NOT NULL,
    identifier TEXT NOT NULL,
    -- SHA-256 of the 32 characters after the identifier.
    secret_hash BLOB NOT NULL,
    memo TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    -- Rights of an application key: an object from resource to 0 none, 1 read, 3 read and write.
    rights TEXT NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_identifier ON api_keys (identifier);
CREATE INDEX api_keys_user_id ON api_keys (user_id, key_type);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the cookie's value.
    token_hash BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf_token TEXT NOT NULL,
    ip TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_token_hash ON sessions (token_hash);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE ssh_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    public_key TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ssh_keys_user_fingerprint ON ssh_keys (user_id, fingerprint);

CREATE TABLE recovery_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX recovery_tokens_user_id ON recovery_tokens (user_id);

CREATE TABLE password_resets (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE locations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    short TEXT NOT NULL,
    long TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX locations_short ON locations (short);

CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    location_id INTEGER NOT NULL REFERENCES locations (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    description TEXT,
    -- Whether it is the node inside this very program.
    embedded INTEGER NOT NULL,
    public INTEGER NOT NULL,
    fqdn TEXT NOT NULL,
    scheme TEXT NOT NULL,
    behind_proxy INTEGER NOT NULL,
    maintenance_mode INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    memory_overallocate INTEGER NOT NULL,
    disk INTEGER NOT NULL,
    disk_overallocate INTEGER NOT NULL,
    upload_size INTEGER NOT NULL,
    daemon_base TEXT NOT NULL,
    daemon_listen INTEGER NOT NULL,
    daemon_sftp INTEGER NOT NULL,
    daemon_token_id TEXT NOT NULL,
    daemon_token TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX nodes_uuid ON nodes (uuid);
CREATE UNIQUE INDEX nodes_daemon_token_id ON nodes (daemon_token_id);
-- At most one node is the embedded one.
CREATE UNIQUE INDEX nodes_embedded ON nodes (embedded) WHERE embedded;
CREATE INDEX nodes_location_id ON nodes (location_id);

CREATE TABLE nests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    author TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX nests_uuid ON nests (uuid);

CREATE TABLE eggs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    nest_id INTEGER NOT NULL REFERENCES nests (id) ON DELETE RESTRICT,
    author TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    -- The version tag of the file it came from, such as PTDL_v2.
    source_format TEXT NOT NULL,
    update_url TEXT,
    features TEXT,
    -- An object in order: label to image.
    docker_images TEXT NOT NULL,
    file_denylist TEXT NOT NULL,
    tags TEXT NOT NULL,
    startup TEXT NOT NULL,
    config_files TEXT,
    config_startup TEXT,
    config_logs TEXT,
    config_stop TEXT,
    config_from INTEGER REFERENCES eggs (id) ON DELETE SET NULL,
    script_container TEXT NOT NULL,
    script_entry TEXT NOT NULL,
    script_install TEXT,
    copy_script_from INTEGER REFERENCES eggs (id) ON DELETE SET NULL,
    force_outgoing_ip INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX eggs_uuid ON eggs (uuid);
CREATE INDEX eggs_nest_id ON eggs (nest_id);
CREATE INDEX eggs_name ON eggs (lower(name));
CREATE INDEX eggs_config_from ON eggs (config_from);
CREATE INDEX eggs_copy_script_from ON eggs (copy_script_from);

CREATE TABLE egg_variables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    egg_id INTEGER NOT NULL REFERENCES eggs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    env_variable TEXT NOT NULL,
    default_value TEXT NOT NULL,
    user_viewable INTEGER NOT NULL,
    user_editable INTEGER NOT NULL,
    rules TEXT NOT NULL,
    field_type TEXT NOT NULL,
    -- The place in the egg's own order.
    sort INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX egg_variables_env_variable ON egg_variables (egg_id, env_variable);

CREATE TABLE servers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    -- The first eight characters of the UUID.
    short TEXT NOT NULL,
    external_id TEXT,
    node_id INTEGER NOT NULL REFERENCES nodes (id) ON DELETE RESTRICT,
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    egg_id INTEGER NOT NULL REFERENCES eggs (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT,
    skip_scripts INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    swap INTEGER NOT NULL,
    disk INTEGER NOT NULL,
    io INTEGER NOT NULL,
    cpu INTEGER NOT NULL,
    threads TEXT,
    oom_disabled INTEGER NOT NULL,
    startup TEXT NOT NULL,
    image TEXT NOT NULL,
    allocation_limit INTEGER,
    database_limit INTEGER,
    backup_limit INTEGER NOT NULL,
    installed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX servers_uuid ON servers (uuid);
CREATE UNIQUE INDEX servers_short ON servers (short);
CREATE UNIQUE INDEX servers_external_id ON servers (external_id);
CREATE INDEX servers_node_id ON servers (node_id);
CREATE INDEX servers_owner_id ON servers (owner_id);
CREATE INDEX servers_egg_id ON servers (egg_id);

CREATE TABLE server_variables (
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    variable_id INTEGER NOT NULL REFERENCES egg_variables (id) ON DELETE CASCADE,
    value TEXT NOT NULL,
    PRIMARY KEY (server_id, variable_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX server_variables_variable_id ON server_variables (variable_id);

CREATE TABLE allocations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node_id INTEGER NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    ip TEXT NOT NULL,
    ip_alias TEXT,
    port INTEGER NOT NULL,
    server_id INTEGER REFERENCES servers (id) ON DELETE SET NULL,
    -- Whether it is its server's primary one.
    is_primary INTEGER NOT NULL,
    notes TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX allocations_node_ip_port ON allocations (node_id, ip, port);
CREATE UNIQUE INDEX allocations_primary ON allocations (server_id) WHERE is_primary;
CREATE INDEX allocations_server_id ON allocations (server_id);
CREATE INDEX allocations_free ON allocations (node_id, id) WHERE server_id IS NULL;
CREATE INDEX allocations_ip ON allocations (ip, port);

CREATE TABLE subusers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    -- An array of names in the order in which they were given.
    permissions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX subusers_server_user ON subusers (server_id, user_id);
CREATE INDEX subusers_user_id ON subusers (user_id);

CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    cron_minute TEXT NOT NULL,
    cron_hour TEXT NOT NULL,
    cron_day_of_month TEXT NOT NULL,
    cron_month TEXT NOT NULL,
    cron_day_of_week TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    is_processing INTEGER NOT NULL,
    only_when_online INTEGER NOT NULL,
    last_run_at INTEGER,
    next_run_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_server_id ON schedules (server_id);
CREATE INDEX schedules_due ON schedules (next_run_at) WHERE is_active;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    sequence_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    time_offset INTEGER NOT NULL,
    is_queued INTEGER NOT NULL,
    continue_on_failure INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
-- Not unique: moving tasks passes through duplicates (client-api.md §8.3).
CREATE INDEX tasks_schedule_sequence ON tasks (schedule_id, sequence_id);

CREATE TABLE database_hosts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    -- mysql or postgres.
    engine TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    username TEXT NOT NULL,
    password TEXT NOT NULL,
    max_databases INTEGER,
    node_id INTEGER REFERENCES nodes (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX database_hosts_node_id ON database_hosts (node_id);

CREATE TABLE databases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Restricting: the database on its host must go first.
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE RESTRICT,
    database_host_id INTEGER NOT NULL REFERENCES database_hosts (id) ON DELETE RESTRICT,
    name TEXT NOT NULL,
    username TEXT NOT NULL,
    remote TEXT NOT NULL,
    password TEXT NOT NULL,
    max_connections INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX databases_host_username ON databases (database_host_id, username);
CREATE UNIQUE INDEX databases_host_name ON databases (database_host_id, name);
CREATE INDEX databases_server_id ON databases (server_id);

CREATE TABLE backups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    ignored_files TEXT NOT NULL,
    -- The adapter that keeps it: wings or s3.
    disk TEXT NOT NULL,
    upload_id TEXT,
    is_successful INTEGER NOT NULL,
    is_locked INTEGER NOT NULL,
    checksum TEXT,
    bytes INTEGER NOT NULL,
    completed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Deleted backups still count for the throttle (client-api.md §10.3).
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX backups_uuid ON backups (uuid);
CREATE INDEX backups_server_created ON backups (server_id, created_at);

CREATE TABLE mounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    read_only INTEGER NOT NULL,
    user_mountable INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mounts_uuid ON mounts (uuid);
CREATE UNIQUE INDEX mounts_name ON mounts (name);

CREATE TABLE egg_mounts (
    egg_id INTEGER NOT NULL REFERENCES eggs (id) ON DELETE CASCADE,
    mount_id INTEGER NOT NULL REFERENCES mounts (id) ON DELETE CASCADE,
    PRIMARY KEY (egg_id, mount_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX egg_mounts_mount_id ON egg_mounts (mount_id);

CREATE TABLE node_mounts (
    node_id INTEGER NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    mount_id INTEGER NOT NULL REFERENCES mounts (id) ON DELETE CASCADE,
    PRIMARY KEY (node_id, mount_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_mounts_mount_id ON node_mounts (mount_id);

CREATE TABLE server_mounts (
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    mount_id INTEGER NOT NULL REFERENCES mounts (id) ON DELETE CASCADE,
    PRIMARY KEY (server_id, mount_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX server_mounts_mount_id ON server_mounts (mount_id);

CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    -- NULL while it is under way.
    successful INTEGER,
    old_node INTEGER NOT NULL,
    new_node INTEGER NOT NULL,
    old_allocation INTEGER NOT NULL,
    new_allocation INTEGER NOT NULL,
    old_additional_allocations TEXT NOT NULL,
    new_additional_allocations TEXT NOT NULL,
    archived INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
-- A server has at most one transfer under way.
CREATE UNIQUE INDEX transfers_open ON transfers (server_id) WHERE successful IS NULL;
CREATE INDEX transfers_server_id ON transfers (server_id);

-- The names of events, of which there are some sixty, and a number for each.
CREATE TABLE activity_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX activity_events_name ON activity_events (name);

CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id INTEGER NOT NULL REFERENCES activity_events (id) ON DELETE RESTRICT,
    ip TEXT,
    description TEXT,
    actor_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- No reference: the entry outlives the key.
    api_key_id INTEGER,
    properties TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX activity_actor_id ON activity (actor_id);
CREATE INDEX activity_at ON activity (at);

-- What an entry is about. The event and the time are repeated here, so that a page of the log of
-- one server or user is found by an index alone, in either order, filtered or not.
CREATE TABLE activity_subjects (
    subject_type TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    activity_id INTEGER NOT NULL REFERENCES activity (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (subject_type, subject_id, activity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_subjects_activity_id ON activity_subjects (activity_id);
CREATE INDEX activity_subjects_at ON activity_subjects (subject_type, subject_id, at, activity_id);
CREATE INDEX activity_subjects_event ON activity_subjects (subject_type, subject_id, event_id, activity_id);
CREATE INDEX activity_subjects_event_at ON activity_subjects (subject_type, subject_id, event_id, at, activity_id);

-- How many entries a server or a user has of each event, kept up to date with the entries, so that
-- no page has to count them.
CREATE TABLE activity_counts (
    subject_type TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL REFERENCES activity_events (id) ON DELETE RESTRICT,
    entries INTEGER NOT NULL,
    PRIMARY KEY (subject_type, subject_id, event_id)
) STRICT, WITHOUT ROWID;
