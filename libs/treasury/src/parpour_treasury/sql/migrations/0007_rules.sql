-- Who may spend what: members, rule books, envelopes, payees, and what stops everything. All of it changes by proposals that
-- another person confirms (0010_changes), except what only makes spending harder.

create table treasury.member (
    tenant_id uuid not null references treasury.ledger,
    actor text not null check (actor ~ '^(user|agent):.' and length(actor) <= 200),
    person text check (length(person) between 1 and 200),
    roles text[] not null check (roles <@ array['owner', 'treasurer', 'approver', 'agent', 'auditor'] and cardinality(roles) > 0),
    added_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, actor),
    -- Software decides nothing that people have to decide.
    check (actor like 'user:%' and person is not null and not 'agent' = any(roles)
        or actor like 'agent:%' and roles <@ array['agent', 'auditor'])
);
comment on table treasury.member is 'Accounts of the venture''s people and agents';
comment on column treasury.member.person is 'The human behind the account, the same for all accounts of one; of an agent, who answers for it';
call controlplane.guard('treasury.member');
create trigger identity_immutable before update of tenant_id, actor on treasury.member
    for each statement execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.member
    for each statement execute function controlplane.refuse_change();

create table treasury.rules (
    tenant_id uuid not null references treasury.ledger,
    version integer not null check (version > 0),
    body json not null,
    proposed_by text not null,
    approved_by text not null,
    effective_at timestamptz not null,
    primary key (tenant_id, version)
);
comment on table treasury.rules is 'Rule books; the last version is in force';
call controlplane.guard('treasury.rules');
create trigger immutable before update or delete or truncate on treasury.rules
    for each statement execute function controlplane.refuse_change();

create table treasury.control (
    tenant_id uuid primary key references treasury.ledger,
    frozen_at timestamptz,
    frozen_by text,
    stopped_at timestamptz,
    stopped_by text,
    reason text not null default '' check (length(reason) <= 1000),
    decided_at timestamptz not null default '-infinity',
    decided_in xid8,
    check ((frozen_at is null) = (frozen_by is null)),
    check ((stopped_at is null) = (stopped_by is null))
) with (fillfactor = 20);
comment on table treasury.control is 'What stops a venture''s spending, and when it was last decided about';
comment on column treasury.control.frozen_at is 'Since when the venture''s people have frozen it';
comment on column treasury.control.stopped_at is 'Since when the kill switch is thrown';
comment on column treasury.control.decided_at is 'The time of the last batch of decisions; never goes back';
comment on column treasury.control.decided_in is 'The transaction that gathered facts last: only it may record what it decided';
call controlplane.guard('treasury.control');
create trigger goes_forward before update on treasury.control
    for each row when (new.tenant_id <> old.tenant_id or new.decided_at < old.decided_at)
    execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.control
    for each statement execute function controlplane.refuse_change();

create table treasury.envelope (
    tenant_id uuid not null references treasury.ledger,
    envelope_id uuid not null,
    parent_id uuid,
    path uuid[] not null check (cardinality(path) between 1 and 8),
    code text not null check (code ~ '^[a-z0-9]+([-_][a-z0-9]+)*$' and length(code) <= 100),
    currency treasury.currency not null,
    cap treasury.amount not null check (cap >= 0),
    reserved treasury.amount not null default 0 check (reserved >= 0),
    spent treasury.amount not null default 0 check (spent >= 0),
    opens_at timestamptz,
    closes_at timestamptz,
    primary key (tenant_id, envelope_id),
    unique (tenant_id, code),
    unique (tenant_id, envelope_id, currency),
    foreign key (tenant_id, parent_id, currency) references treasury.envelope (tenant_id, envelope_id, currency),
    constraint within_cap check (reserved + spent <= cap),
    check (path[1] = envelope_id and path[2] is not distinct from parent_id)
) with (fillfactor = 50);
comment on table treasury.envelope is 'Budgets, and parts of them. A spend counts in its envelope and in each one around it';
comment on column treasury.envelope.path is 'The envelope, and then each one around it, up to the budget';
comment on column treasury.envelope.reserved is 'Sum of what is reserved or under way';
comment on column treasury.envelope.spent is 'Sum of what was settled';
call controlplane.guard('treasury.envelope');
create trigger identity_immutable before update of tenant_id, envelope_id, parent_id, path, code, currency on treasury.envelope
    for each statement execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.envelope
    for each statement execute function controlplane.refuse_change();

create table treasury.payee (
    tenant_id uuid not null references treasury.ledger,
    payee_id uuid not null,
    name text not null check (length(name) between 1 and 200),
    category text not null check (category ~ '^[a-z0-9]+([-_][a-z0-9]+)*$' and length(category) <= 100),
    provider text not null check (provider in ('internal', 'mercury', 'stripe')),
    destination json not null,
    fingerprint bytea not null check (length(fingerprint) = 32),
    created_at timestamptz not null,
    usable_from timestamptz not null,
    held_at timestamptz,
    retired_at timestamptz,
    primary key (tenant_id, payee_id)
);
comment on table treasury.payee is 'Whom the venture pays';
comment on column treasury.payee.destination is 'What the provider calls the account, and its masked number';
comment on column treasury.payee.fingerprint is 'SHA-256 of name, category, provider, destination and the account''s own digest';
call controlplane.guard('treasury.payee');
-- Whoever is somebody else, or has another account, has another fingerprint: approvals are of the fingerprint.
create trigger another_is_another before update on treasury.payee
    for each row when (
        new.tenant_id <> old.tenant_id or new.payee_id <> old.payee_id or new.created_at <> old.created_at
        or (new.name, new.category, new.provider, new.destination::text)
            is distinct from (old.name, old.category, old.provider, old.destination::text)
            and (new.fingerprint = old.fingerprint or new.usable_from < old.usable_from)
        or old.retired_at is not null
    ) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.payee
    for each statement execute function controlplane.refuse_change();

create table treasury.change (
    tenant_id uuid not null references treasury.ledger,
    change_id uuid not null,
    kind text not null check (kind in ('rules', 'member', 'envelope', 'payee', 'release', 'resolution')),
    body json not null,
    digest bytea not null check (length(digest) = 32),
    state text not null default 'proposed' check (state in ('proposed', 'applied', 'rejected')),
    proposed_by text not null,
    proposed_person text not null,
    proposed_at timestamptz not null,
    expires_at timestamptz not null,
    decided_by text,
    decided_person text,
    decided_at timestamptz,
    authenticated_at timestamptz,
    primary key (tenant_id, change_id),
    constraint another_person check (state <> 'applied' or decided_person <> proposed_person),
    check ((state = 'proposed') = (decided_at is null)),
    check ((decided_at is null) = (decided_by is null) and (decided_at is null) = (decided_person is null))
);
comment on table treasury.change is 'Proposed changes of what decides about money, and who confirmed them';
comment on column treasury.change.digest is 'SHA-256 of kind and body: who confirms says what';
call controlplane.guard('treasury.change');
create trigger identity_immutable
    before update of tenant_id, change_id, kind, body, digest, proposed_by, proposed_person, proposed_at, expires_at
    on treasury.change for each statement execute function controlplane.refuse_change();
create trigger decided_stays before update on treasury.change
    for each row when (old.state <> 'proposed') execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.change
    for each statement execute function controlplane.refuse_change();

grant select on treasury.member, treasury.rules, treasury.control, treasury.envelope, treasury.payee, treasury.change
    to parpour_app;
