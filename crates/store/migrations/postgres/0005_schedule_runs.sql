-- How the last run of a task ended: nothing, or when and in which words.
ALTER TABLE tasks ADD COLUMN last_run_at TIMESTAMPTZ;
ALTER TABLE tasks ADD COLUMN last_outcome TEXT;

-- A run of a schedule that has not ended: which task is next, and when.
CREATE TABLE schedule_runs (
    schedule_id BIGINT PRIMARY KEY REFERENCES schedules (id) ON DELETE CASCADE,
    task_id BIGINT NOT NULL,
    -- Started by a person, so that it goes on while the schedule is inactive.
    is_manual BOOLEAN NOT NULL,
    -- When the task is due; while somebody carries it out, when others may give them up for lost.
    due_at TIMESTAMPTZ NOT NULL,
    -- Who carries the task out: a number made up for this one time.
    holder UUID
);
CREATE INDEX schedule_runs_due_at ON schedule_runs (due_at);
