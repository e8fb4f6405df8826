/** SQL of the local catalog; `user_version` counts its revisions. */
export const CATALOG_VERSION = 3;

export const CATALOG_SCHEMA = `
create table if not exists objects (
  key text primary key, project text not null, fingerprint text not null, revision text not null,
  records integer not null, trajectories integer not null, rejected integer not null
) without rowid;

create table if not exists trajectories (
  id text primary key, content_id text not null, revision text not null,
  task_key text not null, task_id text, repo text, domain text not null, format text not null,
  agent text not null, model text, success integer, outcome_score real,
  steps integer not null, agent_steps integer not null, calls integer not null,
  redactions integer not null, warnings integer not null, tokens text not null,
  source_bytes integer not null, started_at text,
  scorer text, reward real, process real, outcome real, efficiency real,
  feedback real, export_count integer not null default 0, created_at integer not null,
  session_key text, prefixes blob, superseded_by text
) without rowid;
create index if not exists trajectories_by_reward on trajectories (reward desc, id);
create index if not exists trajectories_by_task on trajectories (task_key);
create index if not exists trajectories_by_content on trajectories (content_id);
create index if not exists trajectories_by_session on trajectories (session_key, substr(prefixes, 1, 8))
  where session_key is not null;

create index if not exists trajectories_unscored on trajectories (created_at, id) where scorer is null;

create table if not exists places (
  id text not null, object_key text not null, entry text not null, position integer not null, ordinal integer not null,
  project text not null, line integer, json_path text, generation text not null,
  primary key (object_key, entry, position, ordinal)
) without rowid;
create index if not exists places_by_id on places (id);

create table if not exists revisions (id text not null, revision text not null, primary key (id, revision)) without rowid;
create table if not exists blobs (sha256 text not null, id text not null, primary key (sha256, id)) without rowid;
create index if not exists blobs_by_id on blobs (id);

-- What each source says of a trajectory; the mean stands in trajectories.feedback. Since version 3.
create table if not exists feedback (
  id text not null, source text not null, score real not null, primary key (id, source)
) without rowid;

create table if not exists datasets (
  name text not null, version text not null, format text not null, created_at integer not null,
  announced integer not null default 0,
  primary key (name, version)
) without rowid;
create table if not exists dataset_rows (
  id text not null, name text not null, version text not null, split text not null,
  primary key (id, name, version)
) without rowid;

-- How many first scores each project has seen; the project "" counts them all.
create table if not exists scored (project text primary key, total integer not null) without rowid;
create table if not exists ledger (key text primary key, value text not null, version integer not null) without rowid;

create table if not exists tombstones (
  id text primary key, session_key text, root text not null, created_at integer not null
) without rowid;
create index if not exists tombstones_by_root on tombstones (root);
create index if not exists tombstones_by_session on tombstones (session_key) where session_key is not null;
`;

/** Brings a catalog of version 1 to version 2, before the schema is applied. */
export const CATALOG_UPGRADE_1 = `
alter table datasets add column announced integer not null default 0;
create table scored (project text primary key, total integer not null) without rowid;
insert into scored select '', count(*) from trajectories where scorer is not null;
insert into scored select p.project, count(distinct p.id) from places p join trajectories t on t.id = p.id
  where t.scorer is not null group by p.project;
`;
