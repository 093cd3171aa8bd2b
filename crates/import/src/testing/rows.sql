-- A small panel. Everybody's password is `correct horse`, olive's recovery token `wayback-1`. Rows
-- whose number is 90 or more are broken in a way that an import must name.

INSERT INTO users (id, external_id, uuid, username, email, name_first, name_last, password, root_admin,
    use_totp, totp_secret, created_at, updated_at) VALUES
    (1, NULL, '0a000001-0000-4000-8000-000000000001', 'ada', 'ada@example.com', 'Ada', 'Moor',
        '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e', 1, 0, NULL, '2024-05-01 10:00:00', '2024-05-01 10:00:00'),
    (2, 'crm-2', '0a000002-0000-4000-8000-000000000002', 'olive', 'olive@example.com', 'Olive', NULL,
        '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e', 0, 1, '{sealed:JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP}', '2024-05-01 10:00:00', '2024-05-01 10:00:00'),
    (3, NULL, '0a000003-0000-4000-8000-000000000003', 'liam', 'liam@example.com', NULL, NULL,
        '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e', 0, 0, NULL, NULL, NULL),
    (90, NULL, 'no uuid at all', 'nora', 'nora@example.com', NULL, NULL, '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e', 0, 0, NULL, '2024-05-01 10:00:00', '2024-05-01 10:00:00'),
    (91, NULL, '0a000091-0000-4000-8000-000000000091', 'LIAM', 'liam2@example.com', NULL, NULL,
        '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e', 0, 0, NULL, '2024-05-01 10:00:00', '2024-05-01 10:00:00');

INSERT INTO api_keys (id, user_id, key_type, identifier, token, allowed_ips, memo, last_used_at, expires_at,
    created_at, r_servers, r_nodes) VALUES
    (1, 1, 1, 'ptlc_adaaaaaaaaa', '{sealed:AdaAdaAdaAdaAdaAdaAdaAdaAdaAda01}', '[]', 'ada',
        '2024-05-02 00:00:00', NULL, '2024-05-01 10:00:00', 0, 0),
    (2, 2, 1, 'oliveWithoutPref', '{sealed:OliveOliveOliveOliveOliveOlive02}', NULL, 'from before 1.8',
        NULL, NULL, '2024-05-01 10:00:00', 0, 0),
    (3, 3, 1, 'pacc_liamliamlia', '{sealed plain:LiamLiamLiamLiamLiamLiamLiamLi03}', '[]', NULL,
        NULL, NULL, '2024-05-01 10:00:00', 0, 0),
    (4, 2, 1, 'ptlc_oliveAtHome', '{sealed:OliveOliveOliveOliveOliveOlive04}', '["10.9.8.0/24"]', 'home',
        NULL, NULL, '2024-05-01 10:00:00', 0, 0),
    (5, 2, 1, 'ptlc_oliveIsPast', '{sealed:OliveOliveOliveOliveOliveOlive05}', '[]', 'past',
        NULL, '2024-06-01 00:00:00', '2024-05-01 10:00:00', 0, 0),
    (6, 1, 2, 'ptla_billingbill', '{sealed:BillBillBillBillBillBillBillBi06}', NULL, 'billing',
        NULL, NULL, '2024-05-01 10:00:00', 3, 1),
    (90, 1, 0, 'ancientancientan', '{sealed:x}', NULL, 'ancient', NULL, NULL, '2024-05-01 10:00:00', 0, 0),
    (91, 1, 1, 'ptlc_tamperedtam', 'bm90IHNlYWxlZA==', '[]', 'tampered', NULL, NULL, '2024-05-01 10:00:00', 0, 0),
    (92, 77, 1, 'ptlc_nobodynobod', '{sealed:x}', '[]', 'nobody', NULL, NULL, '2024-05-01 10:00:00', 0, 0);

INSERT INTO user_ssh_keys (id, user_id, name, fingerprint, public_key, created_at, deleted_at) VALUES
    (1, 2, 'laptop', 'vPZHg0V4ApxMVkcrcKnc4njhxbD72dvx/E5MSkdJlaU',
        '-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEATSQeNbMnoym7e5aEG5kAH3BQhBxhkRZu8zVUwWnxwXo=\r\n-----END PUBLIC KEY-----',
        '2024-05-01 10:00:00', NULL),
    (90, 2, 'lost', 'x', 'x', '2024-05-01 10:00:00', '2024-05-03 00:00:00');

INSERT INTO recovery_tokens (id, user_id, token, created_at) VALUES
    (7, 2, '$2y$04$abcdefghijklmnopqrstuuTFvY8NWiBOpWnEy5oLEGqp2EVYL4L3C', '2024-05-01 10:00:00');

INSERT INTO locations (id, short, `long`, created_at) VALUES
    (1, 'eu.ams', 'Amsterdam', '2024-05-01 10:00:00'), (90, 'eu.ams', 'Amsterdam again', '2024-05-01 10:00:00');

INSERT INTO nodes (id, uuid, name, location_id, fqdn, scheme, memory, disk, daemon_token_id, daemon_token,
    daemonListen, created_at) VALUES
    (1, '0b000001-0000-4000-8000-000000000001', 'north', 1, '127.0.0.1', 'http', 65536, 512000,
        'NorthTokenIdIs16', '{sealed:NorthTokenNorthTokenNorthTokenNorthTokenNorthTokenNorthTokenNo64}', 1, '2024-05-01 10:00:00');

INSERT INTO nests (id, uuid, author, name, description, created_at) VALUES
    (1, '0c000001-0000-4000-8000-000000000001', 'games@example.com', 'Games', 'All of them', '2024-05-01 10:00:00');

-- Egg 1 inherits from egg 3, which comes later; 90 and 91 inherit from each other.
INSERT INTO eggs (id, uuid, nest_id, author, name, features, docker_images, file_denylist, config_files,
    config_startup, config_logs, config_stop, config_from, startup, script_install, copy_script_from, created_at)
VALUES
    (1, '0d000001-0000-4000-8000-000000000001', 1, 'games@example.com', 'Snake', '["eula"]',
        '{"Java 21":"example/java:21","Java 17":"example/java:17"}', '["*.key"]', NULL, NULL, NULL, NULL, 3,
        'java -jar {{SERVER_JARFILE}}', NULL, 3, '2024-05-01 10:00:00'),
    (3, '0d000003-0000-4000-8000-000000000003', 1, 'games@example.com', 'Worm', NULL,
        '["example/java:8"]', '[]',
        '{\r\n"server.properties": {"parser": "properties", "find": {"server-port": "{{server.build.default.port}}"}}}',
        '{"done": ")! "}', '{}', 'stop', NULL, 'java -jar worm.jar', '#!/bin/sh\ntrue\n', NULL, '2024-05-01 10:00:00'),
    (90, '0d000090-0000-4000-8000-000000000090', 1, 'x', 'Chicken', NULL, '{}', '[]', NULL, NULL, NULL, NULL,
        91, 'x', NULL, NULL, '2024-05-01 10:00:00'),
    (91, '0d000091-0000-4000-8000-000000000091', 1, 'x', 'Egg', NULL, '{}', '[]', NULL, NULL, NULL, NULL,
        90, 'x', NULL, NULL, '2024-05-01 10:00:00'),
    (92, '0d000092-0000-4000-8000-000000000092', 1, 'x', 'Torn', NULL, '{"cut off', '[]', NULL, NULL, NULL, NULL,
        NULL, 'x', NULL, NULL, '2024-05-01 10:00:00');

INSERT INTO egg_variables (id, egg_id, name, description, env_variable, default_value, user_viewable,
    user_editable, rules, created_at) VALUES
    (1, 1, 'Jar', 'The file', 'SERVER_JARFILE', 'server.jar', 1, 1, 'required|string|max:20', '2024-05-01 10:00:00'),
    (2, 1, 'Hidden', '', 'SEED', '', 0, 0, NULL, '2024-05-01 10:00:00');

INSERT INTO servers (id, external_id, uuid, uuidShort, node_id, name, description, status, owner_id, memory,
    swap, disk, io, cpu, oom_disabled, allocation_id, nest_id, egg_id, startup, image, allocation_limit,
    database_limit, backup_limit, created_at, installed_at) VALUES
    (1, 'shop-1', 'a1b2c3d4-0000-4000-8000-000000000001', 'a1b2c3d4', 1, 'Snakes', 'and ladders', NULL, 2,
        1024, -1, 10240, 500, 100, 1, 11, 1, 1, 'java -jar {{SERVER_JARFILE}}', 'example/java:21', 5, NULL, 3,
        '2024-05-01 10:00:00', '2024-05-01 10:00:00'),
    (2, NULL, 'b1b2c3d4-0000-4000-8000-000000000002', 'b1b2c3d4', 1, 'Parked', '', 'suspended', 3,
        512, 0, 0, 500, 0, 0, 13, 1, 3, 'java -jar worm.jar', 'example/java:8', NULL, 0, 0, '2024-05-01 10:00:00', NULL),
    (90, NULL, 'c1b2c3d4-0000-4000-8000-000000000090', 'c1b2c3d4', 1, 'Odd', '', 'levitating', 3,
        512, 0, 0, 500, 0, 0, 90, 1, 3, 'x', 'x', NULL, 0, 0, '2024-05-01 10:00:00', NULL);

INSERT INTO allocations (id, node_id, ip, ip_alias, port, server_id, notes) VALUES
    (11, 1, '127.0.0.1', 'play.example.com', 25565, 1, NULL),
    (12, 1, '127.0.0.1', NULL, 25566, 1, 'query'),
    (13, 1, '127.0.0.1', NULL, 25567, 2, NULL),
    (14, 1, '127.0.0.1', NULL, 25568, NULL, NULL),
    (90, 1, '127.0.0.1', NULL, 25569, 90, NULL),
    (91, 1, '127.0.0.1', NULL, 0, NULL, NULL);

INSERT INTO server_variables (id, server_id, variable_id, variable_value) VALUES
    (1, 1, 1, 'snake.jar'), (2, 1, 2, 'ssss'), (90, 1, 1, 'twice.jar'), (91, NULL, 1, 'x');

INSERT INTO subusers (id, user_id, server_id, permissions, created_at) VALUES
    (4, 3, 1, '["websocket.connect","file.read","user.read"]', '2024-05-01 10:00:00'),
    (90, 3, 1, '[]', '2024-05-01 10:00:00');

INSERT INTO server_transfers (id, server_id, successful, old_node, new_node, old_allocation, new_allocation,
    old_additional_allocations, new_additional_allocations, archived, created_at) VALUES
    (1, 1, 1, 1, 1, 11, 12, '[12]', '[]', 1, '2024-05-01 10:00:00');

INSERT INTO schedules (id, server_id, name, cron_day_of_week, cron_month, cron_day_of_month, cron_hour,
    cron_minute, is_active, is_processing, only_when_online, next_run_at, created_at) VALUES
    (5, 1, 'Nightly', '*', '*', '*', '3', '*/5', 1, 0, 1, '2024-05-01 03:00:00', '2024-05-01 10:00:00');

INSERT INTO tasks (id, schedule_id, sequence_id, action, payload, time_offset, is_queued, continue_on_failure)
VALUES
    (6, 5, 1, 'command', 'say hello', 0, 0, 0), (7, 5, 2, 'power', 'restart', 30, 0, 1),
    (90, 90, 1, 'power', 'kill', 0, 0, 0);

INSERT INTO database_hosts (id, name, host, port, username, password, max_databases, node_id) VALUES
    (1, 'main', 'db.example.com', 3306, 'admin', '{sealed:host secret}', 10, NULL);

INSERT INTO `databases` (id, server_id, database_host_id, `database`, username, remote, password,
    max_connections) VALUES
    (8, 1, 1, 's1_world', 'u1_abcdefghij', '%', '{sealed:table secret}', 0);

INSERT INTO backups (id, server_id, uuid, is_successful, is_locked, name, ignored_files, disk, checksum, bytes,
    completed_at, created_at, deleted_at) VALUES
    (1, 1, '0e000001-0000-4000-8000-000000000001', 1, 1, 'First', '["logs"]', 'wings', 'sha1:aa', 1234,
        '2024-05-01 10:10:00', '2024-05-01 10:00:00', NULL),
    (2, 1, '0e000002-0000-4000-8000-000000000002', 1, 0, 'Gone', '[]', 's3', 'sha1:bb', 99,
        '2024-05-01 10:20:00', '2024-05-01 10:00:00', '2024-05-02 00:00:00');

INSERT INTO mounts (id, uuid, name, source, target, read_only, user_mountable) VALUES
    (1, '0f000001-0000-4000-8000-000000000001', 'maps', '/srv/maps', '/maps', 1, 0);
INSERT INTO egg_mount VALUES (1, 1), (77, 1);
INSERT INTO mount_node VALUES (1, 1);
INSERT INTO mount_server VALUES (1, 1);

INSERT INTO activity_logs (id, event, ip, actor_type, actor_id, api_key_id, properties, timestamp) VALUES
    (1, 'server:power.start', '10.0.0.1', 'user', 2, NULL, '[]', '2024-05-01 12:00:00'),
    (2, 'server:console.command', '10.0.0.1', 'user', 77, 1, '{"command":"say hi"}', '2024-05-01 12:01:00'),
    (3, 'server:power.start', '10.0.0.2', NULL, NULL, NULL, '{}', '2024-05-01 12:02:00'),
    (90, 'server:torn', '10.0.0.2', NULL, NULL, NULL, '{"cut off', '2024-05-01 12:03:00');
INSERT INTO activity_log_subjects (activity_log_id, subject_type, subject_id) VALUES
    (1, 'server', 1), (1, 'user', 2), (2, 'server', 1), (3, 'server', 1), (3, 'spaceship', 4);

INSERT INTO settings (`key`, value) VALUES
    ('settings::pterodactyl:auth:2fa_required', '1'),
    ('settings::app:name', 'Snake House'),
    ('settings::mail:mailers:smtp:host', 'smtp.example.com'),
    ('settings::mail:mailers:smtp:password', '{sealed:mail secret}'),
    ('settings::recaptcha:enabled', 'true');

ALTER TABLE servers AUTO_INCREMENT = 500;
