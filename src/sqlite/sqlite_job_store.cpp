#include "aiserve/sqlite/sqlite_job_store.hpp"

#include "jobs/check_job.hpp"
#include "jobs/payload_mark.hpp"
#include "sqlite/job_transaction.hpp"
#include "sqlite/store_options.hpp"
#include "storage/checks.hpp"

namespace aiserve::inline v0 {

using detail::Connection;
using detail::JobTransaction;
using detail::Promise;
using detail::Query;

namespace {

constexpr int kPromotedAtOnce = 1000;

constexpr const char* kList =
    R"sql(SELECT id FROM job_input WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC)sql";
constexpr const char* kListDead =
    R"sql(SELECT id FROM job_done WHERE tenant = ?1 AND id < ?2 AND state = 6
          ORDER BY id DESC)sql";
constexpr const char* kInput = R"sql(SELECT input FROM job_input WHERE tenant = ?1 AND id = ?2)sql";
constexpr const char* kRefers =
    R"sql(SELECT EXISTS (SELECT 1 FROM job_input WHERE tenant = ?1 AND input = ?2
            AND substr(input, 1, 16) = x'807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512)
          OR EXISTS (SELECT 1 FROM job_done WHERE tenant = ?1 AND result = ?2
            AND substr(result, 1, 16) = x'807d73953cbbc6486ff9c1b45bfe89a1' AND length(result) <= 512))sql";
constexpr const char* kHasTables =
    R"sql(SELECT 1 FROM sqlite_schema WHERE name = 'job_pause' /* schema */)sql";
constexpr const char* kPeek =
    R"sql(SELECT sequence, tenant, topic, payload FROM job_event
          ORDER BY sequence LIMIT ?1 /* across tenants: outbox */)sql";
constexpr const char* kAck =
    R"sql(DELETE FROM job_event WHERE sequence <= ?1 /* across tenants: outbox */)sql";

SqliteJobStoreOptions checked(const SqliteJobStoreOptions& options) {
  const auto in = [](std::size_t value) { return value >= 1 && value <= detail::kLargestValue; };
  if (!in(options.max_input)) {
    throw ConfigError("sqlite job store: max_input must be 1 to 1000000000");
  }
  if (!in(options.max_result)) {
    throw ConfigError("sqlite job store: max_result must be 1 to 1000000000");
  }
  if (options.retention < std::chrono::seconds(1)) {
    throw ConfigError("sqlite job store: retention must be at least 1 s");
  }
  return options;
}

Result<std::vector<Enqueued>> enqueue_all(JobTransaction& transaction,
                                          std::span<const NewJob> jobs) {
  if (auto admitted = transaction.admit(jobs); !admitted) return admitted.error();
  std::vector<Enqueued> done;
  done.reserve(jobs.size());
  for (const NewJob& job : jobs) done.push_back(transaction.enqueue(job));
  return done;
}

std::optional<detail::JobRow> find(Connection& connection, const TenantId& tenant, JobId id) {
  std::optional<detail::JobRow> row = detail::find_open(connection, tenant, id);
  return row ? std::move(row) : detail::find_done(connection, tenant, id);
}

Result<std::vector<JobInfo>> list_jobs(Connection& connection, const TenantId& tenant,
                                       const JobPage& page) {
  std::vector<JobInfo> jobs;
  const std::int64_t before =
      page.before ? page.before->value() : std::numeric_limits<std::int64_t>::max();
  Query ids(connection, page.state == JobState::discarded ? kListDead : kList, tenant, before);
  while (jobs.size() < static_cast<std::size_t>(page.limit) && ids.row()) {
    std::optional<detail::JobRow> row = find(connection, tenant, JobId(ids.integer(0)));
    if (!row || (page.state && static_cast<JobState>(row->core.state) != *page.state)) continue;
    row->result.reset();
    jobs.push_back(to_info(std::move(*row)));
  }
  return jobs;
}

}  // namespace

struct SqliteJobStore::Impl {
  Impl(std::unique_ptr<SqliteDatabase> owned_database, SqliteDatabase* shared,
       const SqliteJobStoreOptions& given)
      : options(checked(given)),
        owned(std::move(owned_database)),
        core((owned ? *owned : *shared).core()) {}

  /// `work(JobTransaction&) -> Result<T>` in a write; tells whoever waits for ready jobs.
  template <class Work>
  Async<typename std::invoke_result_t<const Work&, JobTransaction&>::value_type> write(
      const Context& ctx, Work work, Promise promise = Promise::durable) {
    const auto made_ready = std::make_shared<bool>(false);
    const auto write = [this, work = std::move(work), made_ready](Connection& connection) {
      JobTransaction transaction(connection, core.job_counts(), now(), core.lease_now());
      auto result = work(transaction);
      *made_ready = transaction.made_ready();
      return result;
    };
    auto result = co_await core.write(ctx, write, promise);
    if (result && *made_ready && ready) ready();
    co_return result;
  }

  // A job that takes the machine down is claimed soon after the boot: its claim waits for the disk,
  // or its crashes would never be counted.
  Promise of_claims() const noexcept {
    return core.booted_lately() ? Promise::durable : Promise::repeatable;
  }

  std::int64_t now() const noexcept {
    return core.runtime().clock().wall_now().time_since_epoch().count();
  }

  const SqliteJobStoreOptions options;
  std::unique_ptr<SqliteDatabase> owned;
  detail::SqliteCore& core;
  std::function<void()> ready;
};

SqliteJobStore::SqliteJobStore(SqliteDatabase& database, SqliteJobStoreOptions options)
    : impl_(std::make_unique<Impl>(nullptr, &database, options)) {}
SqliteJobStore::SqliteJobStore(Runtime& runtime, SqliteDatabaseOptions database,
                               SqliteJobStoreOptions options)
    : impl_(std::make_unique<Impl>(std::make_unique<SqliteDatabase>(runtime, std::move(database)),
                                   nullptr, options)) {}
SqliteJobStore::~SqliteJobStore() = default;

void SqliteJobStore::on_ready(std::function<void()> ready) { impl_->ready = std::move(ready); }

Async<std::vector<Enqueued>> SqliteJobStore::enqueue(const Context& ctx,
                                                     std::span<const NewJob> jobs) {
  const Result<void> good = detail::check_jobs(jobs, impl_->options.max_input);
  if (!good) co_return good.error();
  const auto work = [given = std::vector<NewJob>(jobs.begin(), jobs.end())](
                        JobTransaction& transaction) { return enqueue_all(transaction, given); };
  co_return co_await impl_->write(ctx, work);
}

Result<std::vector<Enqueued>> SqliteJobStore::enqueue_in(sqlite3* connection,
                                                         std::span<const NewJob> given) {
  const std::vector<NewJob> jobs = detail::escaped(given);
  const Result<void> good = detail::check_jobs(jobs, impl_->options.max_input);
  if (!good) return good.error();
  Connection borrowed(connection);
  if (!borrowed.in_transaction()) {
    return Error(Errc::invalid_argument, "the connection is not in a transaction");
  }
  try {
    if (!Query(borrowed, kHasTables).row()) {
      return Error(Errc::invalid_argument, "the connection's file has no job store");
    }
    detail::JobCounts counts;
    JobTransaction transaction(borrowed, counts, impl_->now(), impl_->core.lease_now());
    auto made = enqueue_all(transaction, jobs);
    if (made) counts.write(borrowed);
    return made;
  } catch (const SQLite::Exception& error) {
    return detail::to_error(error);
  }
}

void SqliteJobStore::committed() noexcept {
  if (impl_->ready) impl_->ready();
}

Async<std::vector<Backlog>> SqliteJobStore::backlog(const Context& ctx,
                                                    std::span<const std::string_view> kinds) {
  const auto work = [given = std::vector<std::string>(kinds.begin(), kinds.end())](
                        JobTransaction& transaction) -> Result<std::vector<Backlog>> {
    transaction.promote(kPromotedAtOnce);
    std::vector<Backlog> all;
    for (const std::string& kind : given) {
      std::vector<Backlog> some = transaction.backlog(kind);
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  };
  co_return co_await impl_->write(ctx, work, Promise::repeatable);
}

Async<std::vector<ClaimedJob>> SqliteJobStore::claim(const Context& ctx, WorkerId worker,
                                                     std::span<const ClaimQuota> quotas) {
  if (auto good = detail::check_quotas(quotas); !good) co_return good.error();
  const auto work = [worker, given = std::vector<ClaimQuota>(quotas.begin(), quotas.end())](
                        JobTransaction& transaction) -> Result<std::vector<ClaimedJob>> {
    if (auto alive = transaction.check_lease(worker); !alive) return alive.error();
    std::vector<ClaimedJob> claimed;
    for (const ClaimQuota& quota : given) transaction.claim(worker, quota, claimed);
    return claimed;
  };
  co_return co_await impl_->write(ctx, work, impl_->of_claims());
}

Async<std::vector<Settled>> SqliteJobStore::settle(const Context& ctx,
                                                   std::span<const Settlement> settlements) {
  const Result<void> good =
      detail::check_settlements(settlements, impl_->options.max_input, impl_->options.max_result);
  if (!good) co_return good.error();
  const auto work = [given = std::vector<Settlement>(settlements.begin(), settlements.end())](
                        JobTransaction& transaction) -> Result<std::vector<Settled>> {
    std::vector<Settled> settled;
    settled.reserve(given.size());
    for (const Settlement& one : given) settled.push_back(transaction.settle(one));
    return settled;
  };
  co_return co_await impl_->write(ctx, work);
}

Async<HeartbeatReply> SqliteJobStore::heartbeat(const Context& ctx, WorkerId worker,
                                                std::chrono::milliseconds lease) {
  if (lease.count() < 0) co_return Error(Errc::invalid_argument, "the lease must not be negative");
  const auto work = [worker, lease](JobTransaction& transaction) -> Result<HeartbeatReply> {
    return transaction.heartbeat(worker, lease);
  };
  co_return co_await impl_->write(ctx, work, Promise::repeatable);
}

Async<MaintenanceReport> SqliteJobStore::maintain(const Context& ctx, int max_rows) {
  if (max_rows < 1 || max_rows > 100'000) {
    co_return Error(Errc::invalid_argument, "max_rows must be 1 to 100000");
  }
  const std::int64_t kept = std::chrono::nanoseconds(impl_->options.retention).count();
  const auto work = [max_rows, oldest = impl_->now() - kept](
                        JobTransaction& transaction) -> Result<MaintenanceReport> {
    return transaction.maintain(max_rows, oldest);
  };
  co_return co_await impl_->write(ctx, work, Promise::repeatable);
}

Async<JobInfo> SqliteJobStore::get(const Context& ctx, const TenantId& tenant, JobId id) {
  const auto work = [tenant, id](Connection& connection) -> Result<JobInfo> {
    std::optional<detail::JobRow> row = find(connection, tenant, id);
    if (!row) return Error(Errc::not_found, "no such job");
    return to_info(std::move(*row));
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<Bytes> SqliteJobStore::input(const Context& ctx, const TenantId& tenant, JobId id) {
  const auto work = [tenant, id](Connection& connection) -> Result<Bytes> {
    Query row(connection, kInput, tenant, id.value());
    if (!row.row()) return Error(Errc::not_found, "no such job");
    return row.bytes(0);
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<std::vector<JobInfo>> SqliteJobStore::list(const Context& ctx, const TenantId& tenant,
                                                 const JobPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const auto work = [tenant, page](Connection& connection) {
    return list_jobs(connection, tenant, page);
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<JobInfo> SqliteJobStore::control(const Context& ctx, const TenantId& tenant, JobId id,
                                       JobAction action) {
  const auto work = [tenant, id, action](JobTransaction& transaction) {
    return transaction.control(tenant, id, action);
  };
  co_return co_await impl_->write(ctx, work);
}

Async<std::vector<bool>> SqliteJobStore::refers(const Context& ctx, const TenantId& tenant,
                                                std::span<const Bytes> references) {
  const auto work = [tenant, asked = std::vector<Bytes>(references.begin(), references.end())](
                        Connection& connection) -> Result<std::vector<bool>> {
    std::vector<bool> answers;
    answers.reserve(asked.size());
    for (const Bytes& one : asked) {
      Query query(connection, kRefers, tenant, one);
      answers.push_back(query.row() && query.integer(0) != 0);
    }
    return answers;
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<JobStoreStats> SqliteJobStore::stats(const Context& ctx) {
  const auto work = [this](Connection& connection) -> Result<JobStoreStats> {
    detail::JobCounts none;
    return JobTransaction(connection, none, impl_->now(), impl_->core.lease_now()).stats();
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<void> SqliteJobStore::pause(const Context& ctx, std::string_view kind) {
  if (auto good = detail::check_pause(kind); !good) co_return good.error();
  const auto work = [name = std::string(kind)](JobTransaction& transaction) {
    transaction.pause(name);
    return success();
  };
  co_return co_await impl_->write(ctx, work);
}

Async<void> SqliteJobStore::resume(const Context& ctx, std::string_view kind) {
  if (auto good = detail::check_pause(kind); !good) co_return good.error();
  const auto work = [name = std::string(kind)](JobTransaction& transaction) {
    transaction.resume(name);
    return success();
  };
  co_return co_await impl_->write(ctx, work);
}

Async<int> SqliteJobStore::prune(const Context& ctx, WallTime before, int limit) {
  if (limit < 1 || limit > 100'000) {
    co_return Error(Errc::invalid_argument, "limit must be 1 to 100000");
  }
  const auto work = [end = before.time_since_epoch().count(),
                     limit](JobTransaction& transaction) -> Result<int> {
    return transaction.prune(end, limit);
  };
  co_return co_await impl_->write(ctx, work);
}

Async<std::vector<OutboxEvent>> SqliteJobStore::peek(const Context& ctx, int limit) {
  if (auto good = detail::check_limit(limit); !good) co_return good.error();
  const auto work = [limit](Connection& connection) -> Result<std::vector<OutboxEvent>> {
    std::vector<OutboxEvent> events;
    Query row(connection, kPeek, limit);
    while (row.row()) {
      events.push_back({row.integer(0), TenantId(row.text(1)), row.string(2), row.bytes(3)});
    }
    return events;
  };
  co_return co_await impl_->core.read(ctx, work);
}

Async<void> SqliteJobStore::ack(const Context& ctx, std::int64_t up_to) {
  const auto work = [up_to](Connection& connection) -> Result<void> {
    Query(connection, kAck, up_to).run();
    return success();
  };
  co_return co_await impl_->core.write(ctx, work);
}

}  // namespace aiserve::inline v0
