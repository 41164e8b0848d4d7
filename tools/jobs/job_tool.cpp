#include "job_tool.hpp"

#include "aiserve/storage/audit_chain.hpp"
#include "core/json_text.hpp"
#include "core/rfc3339.hpp"
#include "jobs/redrive_dead.hpp"

namespace aiserve::jobs_tool {
namespace {

using v0::detail::JsonText;
using v0::detail::Rfc3339;

constexpr int kPage = 1000;

void write_time(JsonText& json, std::string_view name, const std::optional<WallTime>& at) {
  if (at) json.key(name).string(Rfc3339(*at).view());
}

std::string to_json(const JobInfo& job) {
  JsonText json;
  json.begin_object();
  json.key("id").string(std::to_string(job.id.value()));
  json.key("tenant").string(job.tenant.view());
  json.key("kind").string(job.kind);
  json.key("state").string(to_string(job.state));
  json.key("priority").number(job.priority);
  json.key("attempt").number(job.attempt);
  json.key("max_attempts").number(job.max_attempts);
  json.key("crashes").number(job.crashes);
  json.key("cancel_requested").boolean(job.cancel_requested);
  write_time(json, "created_at", job.created_at);
  write_time(json, "run_at", job.run_at);
  write_time(json, "started_at", job.started_at);
  write_time(json, "finished_at", job.finished_at);
  if (!job.error.empty()) json.key("error").string(job.error);
  if (job.result) json.key("result_bytes").number(static_cast<std::int64_t>(job.result->size()));
  json.end_object();
  return std::move(json).text();
}

std::string to_json(const JobStoreStats& stats) {
  JsonText json;
  json.begin_object().key("kinds").begin_array();
  for (const JobKindStats& row : stats.kinds) {
    json.begin_object();
    json.key("kind").string(row.kind);
    json.key("waiting").number(row.waiting);
    json.key("ready").number(row.ready);
    json.key("running").number(row.running);
    write_time(json, "oldest", row.oldest);
    json.key("paused").boolean(row.paused);
    json.end_object();
  }
  json.end_array();
  json.key("paused").boolean(stats.paused);
  json.key("finished").number(stats.finished);
  json.key("dead").number(stats.dead);
  json.key("workers").number(stats.workers);
  json.key("events").number(stats.events);
  json.end_object();
  return std::move(json).text();
}

std::string object_of(const TenantId& tenant, JobId id) {
  return "job/" + tenant.value() + '/' + std::to_string(id.value());
}

}  // namespace

std::string names_to_json(std::string_view key, const std::vector<std::string>& names) {
  JsonText json;
  json.begin_object().key(key).begin_array();
  for (const std::string& name : names) json.string(name);
  json.end_array().end_object();
  return std::move(json).text();
}

void JobTool::print_count(std::string_view what, std::int64_t count) {
  JsonText json;
  json.begin_object().key(what).number(count).end_object();
  print(std::move(json).text());
}

Async<void> JobTool::run(const Context& ctx) {
  const Result<void> done = co_await execute(ctx);
  const std::string& command = line_.command;
  // Also after an error: some of it may be done. A cancelled job may have held up others.
  if (command == "cancel" || command == "redrive" || command == "resume") {
    static_cast<void>(co_await store_.wake(ctx));
  }
  co_return done;
}

Async<void> JobTool::execute(const Context& ctx) {
  const std::string& command = line_.command;
  if (command == "stats") co_return co_await stats(ctx);
  if (command == "list") co_return co_await list(ctx);
  if (command == "pause" || command == "resume") co_return co_await pause(ctx);
  if (command == "prune") co_return co_await prune(ctx);
  if (command == "backup") co_return co_await backup(ctx);
  if (command == "verify") co_return co_await verify(ctx);
  if (command == "migrate") co_return co_await migrate(ctx);
  if (command == "redrive" && line_.ids.empty()) co_return co_await redrive_kind(ctx);
  co_return co_await each(ctx);
}

Async<void> JobTool::note(const Context& ctx, const std::string& object,
                          const std::string& detail) {
  const TenantId own(kAuditTenant);
  const AuditEntry entry(own, line_.actor, "job." + line_.command, object, detail);
  const Result<AuditReceipt> kept = co_await store_.audit().append(ctx, entry);
  if (!kept) co_return kept.error();
  co_return success();
}

Async<void> JobTool::stats(const Context& ctx) {
  const Result<JobStoreStats> stats = co_await store_.operations().stats(ctx);
  if (!stats) co_return stats.error();
  print(to_json(*stats));
  co_return success();
}

Async<void> JobTool::list(const Context& ctx) {
  const auto jobs = co_await store_.reader().list(ctx, line_.tenant, line_.page);
  if (!jobs) co_return jobs.error();
  for (const JobInfo& job : *jobs) print(to_json(job));
  co_return success();
}

/// show, cancel, redrive: job by job, until one fails.
Async<void> JobTool::each(const Context& ctx) {
  for (const JobId id : line_.ids) {
    Result<JobInfo> job;
    if (line_.command == "show") {
      job = co_await store_.reader().get(ctx, line_.tenant, id);
    } else {
      const std::string object = object_of(line_.tenant, id);
      const Result<void> noted = co_await note(ctx, object, "");
      if (!noted) co_return noted.error();
      const JobAction action = line_.command == "cancel" ? JobAction::cancel : JobAction::redrive;
      job = co_await store_.reader().control(ctx, line_.tenant, id, action);
    }
    if (!job) co_return job.error();
    print(to_json(*job));
  }
  co_return success();
}

Async<void> JobTool::redrive_kind(const Context& ctx) {
  const std::string object = "kind/" + line_.tenant.value() + '/' + line_.kind;
  const Result<void> noted = co_await note(ctx, object, "");
  if (!noted) co_return noted.error();
  const detail::DeadLetters which{line_.tenant, line_.kind, line_.limit};
  int redriven = 0;
  const Result<void> done = co_await detail::redrive_dead(store_.reader(), ctx, which, redriven);
  print_count("redriven", redriven);
  co_return done;
}

Async<void> JobTool::pause(const Context& ctx) {
  const std::string object = line_.all ? "queue" : "kind/" + line_.kind;
  const Result<void> noted = co_await note(ctx, object, "");
  if (!noted) co_return noted.error();
  const Result<void> done = line_.command == "pause"
                                ? co_await store_.operations().pause(ctx, line_.kind)
                                : co_await store_.operations().resume(ctx, line_.kind);
  if (!done) co_return done.error();
  co_return co_await stats(ctx);
}

Async<void> JobTool::prune(const Context& ctx) {
  const WallTime before = std::chrono::system_clock::now() - line_.older_than;
  const std::string detail = "ended before " + std::string(Rfc3339(before).view());
  const std::string object = "queue";
  const Result<void> noted = co_await note(ctx, object, detail);
  if (!noted) co_return noted.error();
  const Result<int> pruned = co_await store_.operations().prune(ctx, before, line_.limit);
  if (!pruned) co_return pruned.error();
  print_count("pruned", *pruned);
  co_return success();
}

Async<void> JobTool::backup(const Context& ctx) {
  const std::string object = "queue";
  const Result<void> noted = co_await note(ctx, object, line_.file);
  if (!noted) co_return noted.error();
  const Result<void> done = co_await store_.backup(ctx, line_.file);
  if (!done) co_return done.error();
  JsonText json;
  json.begin_object().key("backup").string(line_.file).end_object();
  print(std::move(json).text());
  co_return success();
}

Async<void> JobTool::verify(const Context& ctx) {
  const Result<void> sound = co_await store_.verify(ctx, line_.full);
  if (!sound) co_return sound.error();
  const Result<int> entries = co_await verify_audit(ctx);
  if (!entries) co_return entries.error();
  JsonText json;
  json.begin_object().key("ok").boolean(true).key("audit_entries").number(*entries).end_object();
  print(std::move(json).text());
  co_return success();
}

Async<void> JobTool::migrate(const Context& ctx) {
  std::string json = names_to_json("applied", migrated);
  const std::string object = "schema";
  const Result<void> noted = co_await note(ctx, object, json);
  if (!noted) co_return noted.error();
  print(std::move(json));
  co_return success();
}

Async<int> JobTool::verify_audit(const Context& ctx) {
  const TenantId own(kAuditTenant);
  Bytes last = audit_chain_start();
  std::int64_t after = 0;
  for (;;) {
    const auto records = co_await store_.audit().read(ctx, own, after, kPage);
    if (!records) co_return records.error();
    if (records->empty()) co_return static_cast<int>(after);
    const Result<Bytes> chained = verify_audit_chain(audit_key_, last, *records);
    if (!chained) co_return chained.error();
    last = *chained;
    after = records->back().receipt().sequence();
  }
}

}  // namespace aiserve::jobs_tool
