-- Browsers whose user gave the right password and owes the second factor.
CREATE TABLE pending_sign_ins (
    -- SHA-256 of the cookie's value.
    session_hash BLOB PRIMARY KEY NOT NULL,
    -- SHA-256 of the confirmation token.
    token_hash BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_sign_ins_user_id ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_created_at ON pending_sign_ins (created_at);
