// The part of JobTransaction that operators call for.
#include "sqlite/job_transaction.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kPaused =
    R"sql(SELECT 1 FROM job_pause WHERE kind = ?1 OR kind = '' /* no tenant's data */)sql";
constexpr const char* kPause =
    R"sql(INSERT OR IGNORE INTO job_pause (kind) VALUES (?1) /* no tenant's data */)sql";
constexpr const char* kResume =
    R"sql(DELETE FROM job_pause WHERE kind = ?1 OR ?1 = '' /* no tenant's data */)sql";
constexpr const char* kPauses = R"sql(SELECT kind FROM job_pause /* no tenant's data */)sql";
constexpr const char* kKinds =
    R"sql(SELECT kind, sum(waiting), sum(ready), sum(running) FROM job_count
          GROUP BY kind /* across tenants: operator */)sql";
constexpr const char* kTotals =
    R"sql(SELECT (SELECT count(*) FROM job_done), (SELECT count(*) FROM job_done WHERE state = 6),
          (SELECT count(*) FROM job_worker WHERE lease_boot = ?1 AND lease_until > ?2),
          (SELECT count(*) FROM job_event) /* across tenants: operator */)sql";

}  // namespace

bool JobTransaction::paused(std::string_view kind) {
  return Query(connection_, kPaused, kind).row();
}

void JobTransaction::pause(std::string_view kind) { Query(connection_, kPause, kind).run(); }

void JobTransaction::resume(std::string_view kind) {
  Query(connection_, kResume, kind).run();
  made_ready_ = true;
}

JobStoreStats JobTransaction::stats() {
  std::map<std::string, JobKindStats> kinds;
  Query counts(connection_, kKinds);
  while (counts.row()) {
    JobKindStats& row = kinds[counts.string(0)];
    row.waiting = counts.integer(1);
    row.ready = counts.integer(2);
    row.running = counts.integer(3);
  }
  JobStoreStats stats;
  Query pauses(connection_, kPauses);
  while (pauses.row()) {
    if (pauses.text(0).empty()) {
      stats.paused = true;
    } else {
      kinds[pauses.string(0)].paused = true;
    }
  }
  for (auto& [kind, row] : kinds) {
    row.kind = kind;
    for (const Backlog& of_tenant : backlog(kind)) {
      if (of_tenant.ready > 0)
        row.oldest = std::min(row.oldest.value_or(of_tenant.oldest), of_tenant.oldest);
    }
    stats.kinds.push_back(std::move(row));
  }
  Query totals(connection_, kTotals, lease_.boot, lease_.ms);
  if (totals.row()) {
    stats.finished = totals.integer(0);
    stats.dead = totals.integer(1);
    stats.workers = totals.integer(2);
    stats.events = totals.integer(3);
  }
  return stats;
}

}  // namespace aiserve::inline v0::detail
