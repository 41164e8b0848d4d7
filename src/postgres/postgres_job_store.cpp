#include "aiserve/postgres/postgres_job_store.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

#include "jobs/check_job.hpp"
#include "jobs/payload_mark.hpp"
#include "postgres/enqueue_groups.hpp"
#include "postgres/guest_enqueue.hpp"
#include "postgres/herald.hpp"
#include "postgres/store_options.hpp"

namespace aiserve::inline v0 {

using pg::JobTransaction;
using pg::Rows;
using pg::Transaction;

namespace {

constexpr const char* kPlaceEvents =
    R"sql(UPDATE aiserve.job_event AS event
          SET position = nextval('aiserve.job_event_position')
          FROM (SELECT id FROM aiserve.job_event WHERE position IS NULL
                ORDER BY id LIMIT $1) AS fresh
          WHERE event.id = fresh.id)sql";
constexpr const char* kPeek =
    R"sql(SELECT position, tenant, topic, payload FROM aiserve.job_event
          WHERE position IS NOT NULL ORDER BY position LIMIT $1)sql";
// Rows of what is referred to, by its number.
constexpr const char* kRefers =
    R"sql(SELECT asked.number FROM unnest($2::bytea[]) WITH ORDINALITY AS asked (payload, number)
          CROSS JOIN LATERAL (
            SELECT FROM aiserve.job_input WHERE tenant = $1 AND input = asked.payload
              AND substr(input, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512
            UNION ALL
            SELECT FROM aiserve.job_done WHERE tenant = $1 AND result = asked.payload
              AND substr(result, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(result) <= 512
            UNION ALL
            SELECT FROM aiserve.job_done WHERE tenant = $1 AND input = asked.payload
              AND substr(input, 1, 16) = '\x807d73953cbbc6486ff9c1b45bfe89a1' AND length(input) <= 512
            LIMIT 1) AS referring)sql";
constexpr const char* kAck = R"sql(DELETE FROM aiserve.job_event WHERE position <= $1)sql";

PostgresJobStoreOptions checked(const PostgresJobStoreOptions& options) {
  pg::checked_size(options.max_input, "job store: max_input");
  pg::checked_size(options.max_result, "job store: max_result");
  if (options.retention >= std::chrono::seconds(1)) return options;
  throw ConfigError("postgres job store: retention must be at least 1 s");
}

JobInfo finished_info(const Rows& rows, int row, bool with_result) {
  pg::JobRow job = pg::read_job(rows, row);
  job.finished_at = rows.integer(row, pg::kJobColumns);
  const int result = pg::kJobColumns + 1;
  if (with_result && !rows.null(row, result)) job.result = rows.bytes(row, result);
  return pg::to_info(std::move(job));
}

Result<JobInfo> get_job(Transaction& transaction, const TenantId& tenant, JobId id) {
  transaction.as_tenant(tenant);
  const std::size_t open = transaction.add(pg::kFindOpen, tenant, id.value());
  const std::size_t done = transaction.add(pg::kFindDone, tenant, id.value());
  transaction.finish_with_next(true);
  const std::vector<Rows> answers = transaction.flush();
  if (!answers[open].empty()) return pg::to_info(pg::read_job(answers[open], 0));
  if (!answers[done].empty()) return finished_info(answers[done], 0, true);
  return Error(Errc::not_found, "no such job");
}

/// Asks the tables only that may hold such jobs.
std::vector<JobInfo> list_jobs(Transaction& transaction, const TenantId& tenant,
                               const JobPage& page) {
  const std::int64_t before =
      page.before ? page.before->value() : std::numeric_limits<std::int64_t>::max();
  const int state = page.state ? static_cast<int>(*page.state) : -1;
  const char* const finished = page.state == JobState::discarded ? pg::kListDead : pg::kListDone;
  transaction.as_tenant(tenant);
  std::optional<std::size_t> open;
  std::optional<std::size_t> done;
  if (!page.state || !is_final(*page.state)) {
    open = page.state ? transaction.add(pg::kListOpenIn, tenant, before, state, page.limit)
                      : transaction.add(pg::kListOpen, tenant, before, page.limit);
  }
  if (!page.state || is_final(*page.state)) {
    done = transaction.add(finished, tenant, before, state, page.limit);
  }
  transaction.finish_with_next(true);
  const std::vector<Rows> answers = transaction.flush();
  std::vector<JobInfo> jobs;
  if (open) {
    for (pg::JobRow& row : pg::read_jobs(answers[*open])) {
      jobs.push_back(pg::to_info(std::move(row)));
    }
  }
  for (int i = 0; done && i < answers[*done].size(); ++i) {
    jobs.push_back(finished_info(answers[*done], i, false));
  }
  std::sort(jobs.begin(), jobs.end(),
            [](const JobInfo& a, const JobInfo& b) { return a.id > b.id; });
  if (jobs.size() > static_cast<std::size_t>(page.limit)) {
    jobs.resize(static_cast<std::size_t>(page.limit));
  }
  return jobs;
}

std::vector<bool> which_refer(Transaction& transaction, const TenantId& tenant,
                              const std::vector<Bytes>& references) {
  std::vector<std::string_view> payloads;
  payloads.reserve(references.size());
  for (const Bytes& one : references) payloads.push_back(one.text());
  transaction.as_tenant(tenant);
  const std::size_t asked = transaction.add(kRefers, tenant, payloads);
  transaction.finish_with_next(true);
  const std::vector<Rows> answers = transaction.flush();
  std::vector<bool> refer(references.size());
  for (int i = 0; i < answers[asked].size(); ++i) {
    refer.at(static_cast<std::size_t>(answers[asked].integer(i, 0) - 1)) = true;
  }
  return refer;
}

std::vector<OutboxEvent> peek_events(Transaction& transaction, int limit) {
  transaction.as_relay();
  // One after the other, or two would place the same events.
  transaction.add(pg::kLock, pg::lock_of("job events"));
  transaction.add(kPlaceEvents, limit);
  transaction.finish_with_next();
  const Rows rows = transaction.query(kPeek, limit);
  std::vector<OutboxEvent> events;
  events.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    events.push_back(
        {rows.integer(i, 0), TenantId(rows.text(i, 1)), rows.string(i, 2), rows.bytes(i, 3)});
  }
  return events;
}

/// `fn(JobTransaction&) -> Result<T>` as the work of a task; tells of what it made ready.
template <class F>
struct JobWork {
  using Value = typename std::invoke_result_t<F&, JobTransaction&>::value_type;

  Result<Value> operator()(Transaction& transaction) {
    JobTransaction jobs(transaction);
    Result<Value> result = fn(jobs);
    ready = jobs.made_ready();
    claimed = jobs.claimed_up_to();
    return result;
  }
  void committed() {
    for (const pg::ReadyJob& last : claimed) {
      hub->cursors().claimed_up_to(last.tenant, last.kind, last.rank);
    }
    hub->made_ready(ready);
  }

  F fn;
  std::shared_ptr<pg::JobHub> hub;
  std::vector<pg::ReadyJob> ready{};
  std::vector<pg::ReadyJob> claimed{};
};

}  // namespace

struct PostgresJobStore::Impl {
  Impl(std::unique_ptr<PostgresDatabase> own, PostgresDatabase& used,
       const PostgresJobStoreOptions& given)
      : options(checked(given)),
        owned(std::move(own)),
        database(used),
        core(used.core()),
        groups(std::make_shared<pg::EnqueueGroups>(core, hub)) {
    if (!options.notify) return;
    herald =
        std::make_unique<pg::Herald>(core.runtime(), core.connection_options(),
                                     core.options().prepared, [shared = hub] { shared->heard(); });
    hub->on_tell([told = herald.get()] { told->tell(); });
  }
  ~Impl() {
    hub->on_ready({});
    hub->on_tell({});
  }

  template <class F>
  auto run(const Context& ctx, F fn, pg::Urgency urgency = pg::Urgency::ordinary) {
    return core.run(ctx, JobWork<F>{std::move(fn), hub}, urgency);
  }

  /// Once a minute.
  bool days_are_due() noexcept {
    const std::int64_t now = core.runtime().clock().now().time_since_epoch().count();
    std::int64_t due = days_due.load(std::memory_order_relaxed);
    const std::int64_t next = now + std::chrono::nanoseconds(std::chrono::minutes(1)).count();
    return now >= due && days_due.compare_exchange_strong(due, next, std::memory_order_relaxed);
  }

  const PostgresJobStoreOptions options;
  const std::unique_ptr<PostgresDatabase> owned;
  PostgresDatabase& database;
  pg::PostgresCore& core;
  const std::shared_ptr<pg::JobHub> hub = std::make_shared<pg::JobHub>();
  const std::shared_ptr<pg::EnqueueGroups> groups;
  std::unique_ptr<pg::Herald> herald;
  std::atomic<std::int64_t> days_due{std::numeric_limits<std::int64_t>::min()};
};

PostgresJobStore::PostgresJobStore(PostgresDatabase& database, PostgresJobStoreOptions options)
    : impl_(std::make_unique<Impl>(nullptr, database, options)) {}

PostgresJobStore::PostgresJobStore(Runtime& runtime, PostgresDatabaseOptions database,
                                   PostgresJobStoreOptions options) {
  auto own = std::make_unique<PostgresDatabase>(runtime, std::move(database));
  PostgresDatabase& used = *own;
  impl_ = std::make_unique<Impl>(std::move(own), used, options);
}

PostgresJobStore::~PostgresJobStore() = default;

PostgresStats PostgresJobStore::stats() const noexcept { return impl_->database.stats(); }

void PostgresJobStore::on_ready(std::function<void()> ready) {
  impl_->hub->on_ready(std::move(ready));
}

Async<std::vector<Enqueued>> PostgresJobStore::enqueue(const Context& ctx,
                                                       std::span<const NewJob> jobs) {
  const Result<void> good = detail::check_jobs(jobs, impl_->options.max_input);
  if (!good) co_return good.error();
  co_return co_await impl_->groups->enqueue(ctx, jobs);
}

Result<std::vector<Enqueued>> PostgresJobStore::enqueue_in(pg_conn* connection,
                                                           std::span<const NewJob> given) {
  const std::vector<NewJob> jobs = detail::escaped(given);
  const Result<void> good = detail::check_jobs(jobs, impl_->options.max_input);
  if (!good) return good.error();
  return pg::enqueue_as_guest(impl_->core, connection, jobs);
}

void PostgresJobStore::committed() noexcept { impl_->hub->reopened(); }

Async<std::vector<Backlog>> PostgresJobStore::backlog(const Context& ctx,
                                                      std::span<const std::string_view> kinds) {
  const auto work = [given = std::vector<std::string>(kinds.begin(), kinds.end()),
                     hub = impl_->hub](JobTransaction& jobs) -> Result<std::vector<Backlog>> {
    return jobs.backlog(given, hub->cursors());
  };
  co_return co_await impl_->run(ctx, work);
}

Async<std::vector<ClaimedJob>> PostgresJobStore::claim(const Context& ctx, WorkerId worker,
                                                       std::span<const ClaimQuota> quotas) {
  if (auto good = detail::check_quotas(quotas); !good) co_return good.error();
  const auto work = [worker, given = std::vector<ClaimQuota>(quotas.begin(), quotas.end()),
                     hub = impl_->hub](JobTransaction& jobs) -> Result<std::vector<ClaimedJob>> {
    return jobs.claim(worker, given, hub->cursors());
  };
  co_return co_await impl_->run(ctx, work);
}

Async<std::vector<Settled>> PostgresJobStore::settle(const Context& ctx,
                                                     std::span<const Settlement> settlements) {
  const Result<void> good =
      detail::check_settlements(settlements, impl_->options.max_input, impl_->options.max_result);
  if (!good) co_return good.error();
  const auto with = [settlements](pg::Patience patience) {
    return [given = std::vector<Settlement>(settlements.begin(), settlements.end()),
            patience](JobTransaction& jobs) -> Result<std::vector<Settled>> {
      return jobs.settle(given, patience);
    };
  };
  const auto together = with(pg::Patience::quick);
  Result<std::vector<Settled>> settled = co_await impl_->run(ctx, together);
  if (settled || settled.error().code() != Errc::overloaded) co_return settled;
  // Others have a key, a host perhaps until it commits: what needs no such key does not wait for
  // it.
  const auto apart = with(pg::Patience::none);
  co_return co_await impl_->run(ctx, apart);
}

Async<HeartbeatReply> PostgresJobStore::heartbeat(const Context& ctx, WorkerId worker,
                                                  std::chrono::milliseconds lease) {
  if (lease.count() < 0) co_return Error(Errc::invalid_argument, "the lease must not be negative");
  const auto work = [worker, lease](JobTransaction& jobs) -> Result<HeartbeatReply> {
    return jobs.heartbeat(worker, lease);
  };
  // A lease must not be lost because the store is busy.
  co_return co_await impl_->run(ctx, work, pg::Urgency::urgent);
}

Async<MaintenanceReport> PostgresJobStore::maintain(const Context& ctx, int max_rows) {
  if (max_rows < 1 || max_rows > 100'000) {
    co_return Error(Errc::invalid_argument, "max_rows must be 1 to 100000");
  }
  const auto work = [max_rows, retention = impl_->options.retention](
                        JobTransaction& jobs) -> Result<MaintenanceReport> {
    return jobs.maintain(max_rows, retention);
  };
  Result<MaintenanceReport> report = co_await impl_->run(ctx, work);
  if (!report || !impl_->days_are_due()) co_return report;
  const auto keep_days = [retention =
                              impl_->options.retention](JobTransaction& jobs) -> Result<int> {
    return jobs.keep_days(retention);
  };
  // If it fails, finished jobs have a table all the same, and it is tried again.
  const Result<int> dropped = co_await impl_->run(ctx, keep_days);
  if (dropped) report->pruned += *dropped;
  co_return report;
}

Async<JobInfo> PostgresJobStore::get(const Context& ctx, const TenantId& tenant, JobId id) {
  const auto work = [tenant, id](Transaction& transaction) -> Result<JobInfo> {
    return get_job(transaction, tenant, id);
  };
  co_return co_await impl_->core.run(ctx, work);
}

Async<Bytes> PostgresJobStore::input(const Context& ctx, const TenantId& tenant, JobId id) {
  const auto work = [tenant, id](Transaction& transaction) -> Result<Bytes> {
    transaction.as_tenant(tenant);
    transaction.finish_with_next(true);
    const Rows rows = transaction.query(pg::kFindInput, tenant, id.value());
    if (rows.empty()) return Error(Errc::not_found, "no such job, or its input is not kept");
    return rows.bytes(0, 0);
  };
  co_return co_await impl_->core.run(ctx, work);
}

Async<std::vector<bool>> PostgresJobStore::refers(const Context& ctx, const TenantId& tenant,
                                                  std::span<const Bytes> references) {
  const auto work = [tenant, asked = std::vector<Bytes>(references.begin(), references.end())](
                        Transaction& transaction) -> Result<std::vector<bool>> {
    return which_refer(transaction, tenant, asked);
  };
  co_return co_await impl_->core.run(ctx, work);
}

Async<std::vector<JobInfo>> PostgresJobStore::list(const Context& ctx, const TenantId& tenant,
                                                   const JobPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const auto work = [tenant, page](Transaction& transaction) -> Result<std::vector<JobInfo>> {
    return list_jobs(transaction, tenant, page);
  };
  co_return co_await impl_->core.run(ctx, work);
}

Async<JobInfo> PostgresJobStore::control(const Context& ctx, const TenantId& tenant, JobId id,
                                         JobAction action) {
  const auto work = [tenant, id, action](JobTransaction& jobs) -> Result<JobInfo> {
    return jobs.control(tenant, id, action);
  };
  co_return co_await impl_->run(ctx, work);
}

Async<JobStoreStats> PostgresJobStore::stats(const Context& ctx) {
  const auto work = [](JobTransaction& jobs) -> Result<JobStoreStats> { return jobs.stats(); };
  co_return co_await impl_->run(ctx, work);
}

Async<void> PostgresJobStore::pause(const Context& ctx, std::string_view kind) {
  if (auto good = detail::check_pause(kind); !good) co_return good.error();
  const auto work = [name = std::string(kind)](JobTransaction& jobs) -> Result<void> {
    jobs.pause(name);
    return success();
  };
  co_return co_await impl_->run(ctx, work);
}

Async<void> PostgresJobStore::resume(const Context& ctx, std::string_view kind) {
  if (auto good = detail::check_pause(kind); !good) co_return good.error();
  const auto work = [name = std::string(kind)](JobTransaction& jobs) -> Result<void> {
    jobs.resume(name);
    return success();
  };
  Result<void> resumed = co_await impl_->run(ctx, work);
  if (resumed) impl_->hub->reopened();
  co_return resumed;
}

Async<int> PostgresJobStore::prune(const Context& ctx, WallTime before, int limit) {
  if (limit < 1 || limit > 100'000) {
    co_return Error(Errc::invalid_argument, "limit must be 1 to 100000");
  }
  const auto work = [end = before.time_since_epoch().count(),
                     limit](JobTransaction& jobs) -> Result<int> { return jobs.prune(end, limit); };
  co_return co_await impl_->run(ctx, work);
}

Async<void> PostgresJobStore::check(const Context& ctx) {
  const auto work = [](JobTransaction& jobs) -> Result<void> { return jobs.check(); };
  co_return co_await impl_->run(ctx, work);
}

Async<std::vector<OutboxEvent>> PostgresJobStore::peek(const Context& ctx, int limit) {
  if (auto good = detail::check_limit(limit); !good) co_return good.error();
  const auto work = [limit](Transaction& transaction) -> Result<std::vector<OutboxEvent>> {
    return peek_events(transaction, limit);
  };
  co_return co_await impl_->core.run(ctx, work);
}

Async<void> PostgresJobStore::ack(const Context& ctx, std::int64_t up_to) {
  const auto work = [up_to](Transaction& transaction) -> Result<void> {
    transaction.as_relay();
    transaction.finish_with_next();
    transaction.query(kAck, up_to);
    return success();
  };
  co_return co_await impl_->core.run(ctx, work);
}

}  // namespace aiserve::inline v0
