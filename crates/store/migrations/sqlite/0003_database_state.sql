-- What became of a database on its host: creating, ready or leftover.
ALTER TABLE databases ADD COLUMN state TEXT NOT NULL DEFAULT 'ready';
