-- Books of one tenant: a ledger (its head) and accounts; holds, journals and the rest are in the files that follow.
--
-- Amounts are counts of minor units; a debit is positive, a credit negative, so every journal sums to zero in each
-- currency. There is one lock, the ledger's row, and whoever writes takes it before anything else: journal numbers
-- without gaps need it anyway, and with one lock no two paths can wait for each other.

create schema treasury;
grant usage on schema treasury to parpour_app, parpour_sweeper;

create domain treasury.account_code as text
    check (value ~ '^[a-z0-9]+([-_][a-z0-9]+)*(:[a-z0-9]+([-_][a-z0-9]+)*)*$' and length(value) <= 200);
create domain treasury.account_kind as text check (value in ('asset', 'liability', 'equity', 'income', 'expense'));
create domain treasury.currency as text check (value ~ '^[A-Z]{3}$');
-- Balances stay below 2^62, so that two of them are added without a check.
create domain treasury.amount as bigint check (value between -4611686018427387903 and 4611686018427387903);

create table treasury.ledger (
    tenant_id uuid primary key references controlplane.tenant,
    accounts bigint not null default 0,
    journals bigint not null default 0,
    recorded_at timestamptz not null default '-infinity',
    locked_until timestamptz not null default '-infinity'
) with (fillfactor = 20);
comment on table treasury.ledger is 'The head of a tenant''s books, and their one lock';
comment on column treasury.ledger.journals is 'Number of the last journal; there is no gap below it';
comment on column treasury.ledger.recorded_at is 'When the last journal was recorded; never goes back';
comment on column treasury.ledger.locked_until is 'Nothing may take effect before this time any more';
call controlplane.guard('treasury.ledger');
-- A head that went back would open journals that stand, and periods that are locked.
create trigger goes_forward before update on treasury.ledger
    for each row when (
        new.tenant_id <> old.tenant_id or new.accounts < old.accounts or new.journals < old.journals
        or new.recorded_at < old.recorded_at or new.locked_until < old.locked_until
    ) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.ledger
    for each statement execute function controlplane.refuse_change();

create table treasury.account (
    tenant_id uuid not null references treasury.ledger,
    account_id bigint not null,
    code treasury.account_code not null,
    name text not null,
    kind treasury.account_kind not null,
    currency treasury.currency not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    lower_bound bigint,
    upper_bound bigint,
    posted bigint not null default 0,
    pending_debit bigint not null default 0,
    pending_credit bigint not null default 0,
    unique (tenant_id, code),
    unique (tenant_id, account_id, currency),
    -- One constraint, as every update of a balance has to read it anew.
    constraint within_limits check (
        posted - pending_credit >= coalesce(lower_bound, -4611686018427387903)
        and posted + pending_debit <= coalesce(upper_bound, 4611686018427387903)
        and pending_debit >= 0 and pending_credit >= 0
    )
) with (fillfactor = 50);
-- The key is made last: between indexes that look alike for want of statistics the planner takes the youngest, and cached
-- plans keep that choice.
alter table treasury.account add primary key (tenant_id, account_id);
comment on column treasury.account.lower_bound is 'posted - pending_credit stays at or above it (debit positive)';
comment on column treasury.account.upper_bound is 'posted + pending_debit stays at or below it (debit positive)';
comment on column treasury.account.posted is 'Sum of the account''s legs';
comment on column treasury.account.pending_debit is 'Sum of what open holds keep free for debits';
comment on column treasury.account.pending_credit is 'Sum of what open holds keep free for credits';
call controlplane.guard('treasury.account');
create trigger identity_immutable before update of tenant_id, account_id, code, kind, currency, opened_at on treasury.account
    for each statement execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.account
    for each statement execute function controlplane.refuse_change();

grant select on treasury.ledger, treasury.account to parpour_app;
