// The schema, step by step. A step that was released is never edited: its SHA-256 lies in
// databases.
#include <array>

#include "postgres/pg_migration.hpp"

namespace aiserve::inline v0::pg {
namespace {

using detail::Migration;

// Times are nanoseconds since 1970. Names and keys are bytea, because text holds neither NUL nor
// what is not UTF-8. A setting that no transaction made is empty, not absent, once the session had
// it: hence the 'x' before the digits, without which nobody would be the anonymous tenant.
constexpr std::string_view kStores = R"schema(
CREATE FUNCTION aiserve.now_ns() RETURNS bigint LANGUAGE sql STABLE AS $f$
  SELECT coalesce(nullif(current_setting('aiserve.now', true), '')::bigint,
                  (extract(epoch FROM now()) * 1000000000)::bigint) $f$;
CREATE FUNCTION aiserve.current_tenant() RETURNS bytea LANGUAGE sql STABLE AS $f$
  SELECT decode(substr(nullif(current_setting('aiserve.tenant', true), ''), 2), 'hex') $f$;
GRANT USAGE ON SCHEMA aiserve TO aiserve_tenant;

CREATE SEQUENCE aiserve.key_value_version;
CREATE TABLE aiserve.key_value (
  tenant bytea NOT NULL,
  name bytea NOT NULL,
  version bigint NOT NULL,
  expires_at bigint,
  value bytea NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX key_value_expires ON aiserve.key_value (tenant, expires_at)
  WHERE expires_at IS NOT NULL;

CREATE SEQUENCE aiserve.idempotent_fence;
CREATE TABLE aiserve.idempotent_run (
  tenant bytea NOT NULL,
  name bytea NOT NULL,
  fence bigint NOT NULL,
  finished integer NOT NULL,
  lease_until bigint NOT NULL,
  expires_at bigint NOT NULL,
  fingerprint bytea NOT NULL,
  answer bytea NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE INDEX idempotent_run_expires ON aiserve.idempotent_run (tenant, expires_at);

CREATE TABLE aiserve.audit (
  tenant bytea NOT NULL,
  sequence bigint NOT NULL,
  at bigint NOT NULL,
  actor bytea NOT NULL,
  action bytea NOT NULL,
  object bytea NOT NULL,
  detail bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant, sequence)
);

GRANT USAGE ON SEQUENCE aiserve.key_value_version, aiserve.idempotent_fence TO aiserve_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON aiserve.key_value, aiserve.idempotent_run
  TO aiserve_tenant;
GRANT SELECT, INSERT ON aiserve.audit TO aiserve_tenant;
DO $isolate$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['key_value', 'idempotent_run', 'audit'] LOOP
    EXECUTE format('ALTER TABLE aiserve.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE aiserve.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON aiserve.%I TO aiserve_tenant
                    USING (tenant = aiserve.current_tenant())', name);
  END LOOP;
END $isolate$;
)schema";

constexpr std::array<Migration, 1> kMigrations{{
    {1, "stores", kStores, 1},
}};

}  // namespace

std::span<const Migration> migrations() noexcept { return kMigrations; }

}  // namespace aiserve::inline v0::pg
