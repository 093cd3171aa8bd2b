-- Deleted backups stay as rows; lists must not read past them.
CREATE INDEX backups_kept ON backups (server_id, id) WHERE deleted_at IS NULL;
CREATE INDEX backups_unfinished ON backups (created_at) WHERE completed_at IS NULL;
