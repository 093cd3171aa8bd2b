-- Browsers whose user gave the right password and owes the second factor.
CREATE TABLE pending_sign_ins (
    -- SHA-256 of the cookie's value.
    session_hash BYTEA PRIMARY KEY,
    -- SHA-256 of the confirmation token.
    token_hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX pending_sign_ins_user_id ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_created_at ON pending_sign_ins (created_at);
