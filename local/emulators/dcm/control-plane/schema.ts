/**
 * The tables of today's control plane. `documents` holds what DCM only stores and answers: policies, catalog items and catalog item
 * instances. `resources` is placement's view of a run, `service_type_instances` the instance service's view of the same ids.
 */
export const schema = `
  create table if not exists agents (
    id             varchar(63) primary key,
    name           text        not null unique,
    environment    text        not null,
    service_types  jsonb       not null,
    cost           text        not null,
    topic_name     text        not null unique,
    health_status  text        not null default 'ready',
    last_heartbeat timestamptz not null default now(),
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now()
  );
  create table if not exists documents (
    kind        text        not null,
    id          varchar(63) not null,
    document    jsonb       not null,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    primary key (kind, id)
  );
  create table if not exists resources (
    id                       varchar(63) primary key,
    run_id                   text        not null,
    catalog_item_instance_id text        not null,
    name                     text        not null,
    spec                     jsonb       not null,
    requires_resources       jsonb       not null,
    dag_level                integer     not null,
    status                   text        not null default 'PENDING',
    agent_name               text        not null
  );
  create table if not exists service_type_instances (
    id                    varchar(63) primary key,
    service_type          text,
    status                text        not null,
    status_message        text        not null default '',
    spec                  jsonb,
    output_spec           jsonb,
    agent_name            text,
    pending_started_at    timestamptz not null default now(),
    retry_count           integer     not null default 0,
    deletion_status       text,
    deletion_requested_at timestamptz,
    create_time           timestamptz not null default now(),
    update_time           timestamptz not null default now()
  );
  create table if not exists deleted_instances (id varchar(63) primary key)`;
