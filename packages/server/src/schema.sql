-- The sandbox's state. Times are microseconds since the Unix epoch, money is decimal text.

CREATE TABLE IF NOT EXISTS projects (
    id            INTEGER PRIMARY KEY,
    api_key       TEXT NOT NULL UNIQUE,
    secret        TEXT NOT NULL UNIQUE, -- one secret belongs to one API key: a body must not replay under another
    has_access    INTEGER NOT NULL,
    balance       TEXT NOT NULL,
    wallet        TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS replay (
    key           TEXT PRIMARY KEY,
    expires_at    INTEGER NOT NULL -- milliseconds
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS replay_by_expiry ON replay (expires_at);

CREATE TABLE IF NOT EXISTS users (
    number           INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    project          INTEGER NOT NULL,
    external_user_id TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    UNIQUE (project, external_user_id)
) STRICT;

CREATE TABLE IF NOT EXISTS cardholders (
    number              INTEGER PRIMARY KEY,
    id                  TEXT NOT NULL UNIQUE,
    project             INTEGER NOT NULL,
    user                INTEGER NOT NULL,
    subprovider_code    TEXT NOT NULL,
    details             TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    UNIQUE (user, subprovider_code)
) STRICT;

CREATE TABLE IF NOT EXISTS cards (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    project       INTEGER NOT NULL,
    user          INTEGER NOT NULL,
    product_code  TEXT NOT NULL,
    status        TEXT NOT NULL,
    balance       TEXT NOT NULL,
    last4         TEXT,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS orders (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    project         INTEGER NOT NULL,
    order_type      TEXT NOT NULL,
    status          TEXT NOT NULL,
    step            TEXT,               -- issue_status or topup_status
    card            INTEGER NOT NULL,
    amount          TEXT NOT NULL,      -- what the card gets
    charged         TEXT NOT NULL,      -- what the wallet paid, fees included
    balance_before  TEXT,
    balance_after   TEXT,
    last_error      TEXT,
    last_error_slug TEXT,
    failure         TEXT,               -- what the provider will do wrong
    failures        INTEGER NOT NULL DEFAULT 0,
    data            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    completed_at    INTEGER,
    failed_at       INTEGER,
    due_at          INTEGER             -- when the next step is; none once it has ended
) STRICT;

CREATE INDEX IF NOT EXISTS orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_by_card ON orders (card);

CREATE TABLE IF NOT EXISTS ledger (
    number        INTEGER PRIMARY KEY,
    project       INTEGER NOT NULL,
    kind          TEXT NOT NULL,        -- fund, charge, refund
    order_id      TEXT,
    amount        TEXT NOT NULL,        -- what the wallet gained; below zero for a charge
    balance       TEXT NOT NULL,        -- the wallet's after it
    at            INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS subscriptions (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    project       INTEGER NOT NULL,
    url           TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER               -- the row stays: with a seed, its number is its id, which nobody else may get
) STRICT;

CREATE TABLE IF NOT EXISTS deliveries (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    project       INTEGER NOT NULL,
    subscription  TEXT NOT NULL,
    url           TEXT NOT NULL,
    event_type    TEXT NOT NULL,
    payload       TEXT NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    state         TEXT NOT NULL,        -- pending, delivered, parked, cancelled
    last_error    TEXT,
    created_at    INTEGER NOT NULL,
    due_at        INTEGER               -- when the next attempt is, or its lease ends; none once it has ended
) STRICT;

CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
