#include "aiserve/http/jobs.hpp"

#include <charconv>

#include "aiserve/http/request.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "core/json_text.hpp"
#include "core/rfc3339.hpp"
#include "http/idempotency_key.hpp"

namespace aiserve::inline v0::http {
namespace {

constexpr int kPage = 20;
constexpr int kLargestPage = 100;
constexpr std::chrono::seconds kAskAgain{1};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<JobId> id_of(const Request& request) {
  const auto id = number<std::int64_t>(request.param("id"));
  if (!id || *id <= 0) return Error(Errc::not_found, "no such job");
  return JobId(*id);
}

void write_time(v0::detail::JsonText& json, std::string_view name,
                const std::optional<WallTime>& at) {
  if (at) json.key(name).string(v0::detail::Rfc3339(*at).view());
}

void write_job(v0::detail::JsonText& json, const JobInfo& job) {
  json.begin_object();
  json.key("id").string(std::to_string(job.id.value()));
  json.key("kind").string(job.kind);
  json.key("state").string(to_string(job.state));
  json.key("attempt").number(job.attempt);
  json.key("max_attempts").number(job.max_attempts);
  json.key("cancel_requested").boolean(job.cancel_requested);
  write_time(json, "created_at", job.created_at);
  write_time(json, "started_at", job.started_at);
  write_time(json, "finished_at", job.finished_at);
  if (!job.error.empty()) json.key("error").string(job.error);
  json.end_object();
}

Response status_of(const JobInfo& job) {
  v0::detail::JsonText body;
  write_job(body, job);
  return json(std::move(body).text());
}

Result<JobPage> page_of(const Request& request) {
  JobPage page{.limit = kPage};
  if (const auto state = request.query("state")) {
    constexpr int kStates = 7;
    for (int i = 0; i < kStates; ++i) {
      if (to_string(static_cast<JobState>(i)) == *state) page.state = static_cast<JobState>(i);
    }
    if (!page.state) return Error(Errc::invalid_argument, "state: there is no such state");
  }
  if (const auto limit = request.query("limit")) {
    page.limit = number<int>(*limit).value_or(0);
    if (page.limit < 1 || page.limit > kLargestPage) {
      return Error(Errc::invalid_argument, "limit must be 1 to 100");
    }
  }
  if (const auto before = request.query("before")) {
    const auto id = number<std::int64_t>(*before);
    if (!id) return Error(Errc::invalid_argument, "before must be a job's id");
    page.before = JobId(*id);
  }
  return page;
}

Response list_of(const std::vector<JobInfo>& jobs, const JobPage& page) {
  v0::detail::JsonText body;
  body.begin_object().key("jobs").begin_array();
  for (const JobInfo& job : jobs) write_job(body, job);
  body.end_array();
  if (jobs.size() == static_cast<std::size_t>(page.limit)) {
    body.key("next").string(std::to_string(jobs.back().id.value()));
  }
  body.end_object();
  return json(std::move(body).text());
}

Result<Response> result_of(const JobInfo& job, std::string_view content_type) {
  if (!is_final(job.state)) {
    return Error(Errc::conflict, "the job is not finished").retry_after(kAskAgain);
  }
  if (!job.result) {
    return Error(Errc::conflict, "the job was " + std::string(to_string(job.state)));
  }
  Response response;
  response.body(*job.result, content_type);
  return response;
}

}  // namespace

namespace {

/// draft-ietf-httpapi-idempotency-key-header, section 2.7: a key is used for one request.
Async<void> check_same(JobQueue& jobs, const Context& ctx, JobId id, const Request& request) {
  const Result<Bytes> first = co_await jobs.input(ctx, id);
  // Forgotten meanwhile, or a store that does not tell: the key alone has to do.
  if (!first) {
    const Errc code = first.error().code();
    if (code == Errc::not_found || code == Errc::unimplemented) co_return success();
    co_return first.error();
  }
  if (first->text() == request.body_bytes().text()) co_return success();
  co_return Error(Errc::invalid_argument, "this Idempotency-Key was used for another request");
}

}  // namespace

detail::AsyncHandler submit(JobQueue& jobs, std::string kind) {
  return [&jobs, kind = std::move(kind)](const Context& ctx,
                                         const Request& request) -> Async<Response> {
    Result<std::optional<std::string>> key = detail::idempotency_key(request);
    if (!key) co_return key.error();
    NewJob job = jobs.make(ctx, kind, request.body_bytes());
    if (*key) job.unique = JobUnique(**key, JobUniqueScope::retained);
    const Result<Enqueued> made = co_await jobs.enqueue(ctx, job);
    if (!made) co_return made.error();
    if (made->existing && *key) {
      const Result<void> same = co_await check_same(jobs, ctx, made->id, request);
      if (!same) co_return same.error();
    }
    const std::string id = std::to_string(made->id.value());
    v0::detail::JsonText body;
    body.begin_object().key("id").string(id).end_object();
    std::string location(request.path());
    if (location.back() != '/') location += '/';
    co_return json(std::move(body).text()).status(202).header("Location", location + id);
  };
}

detail::AsyncHandler job_status(JobQueue& jobs) {
  return [&jobs](const Context& ctx, const Request& request) -> Async<Response> {
    const Result<JobId> id = id_of(request);
    if (!id) co_return id.error();
    const Result<JobInfo> job = co_await jobs.info(ctx, *id);
    if (!job) co_return job.error();
    co_return status_of(*job);
  };
}

detail::AsyncHandler job_result(JobQueue& jobs, std::string_view content_type) {
  return [&jobs, content_type](const Context& ctx, const Request& request) -> Async<Response> {
    const Result<JobId> id = id_of(request);
    if (!id) co_return id.error();
    const Result<JobInfo> job = co_await jobs.get(ctx, *id);
    if (!job) co_return job.error();
    co_return result_of(*job, content_type);
  };
}

detail::AsyncHandler job_cancel(JobQueue& jobs) {
  return [&jobs](const Context& ctx, const Request& request) -> Async<Response> {
    const Result<JobId> id = id_of(request);
    if (!id) co_return id.error();
    const Result<JobInfo> job = co_await jobs.cancel(ctx, *id);
    if (!job) co_return job.error();
    co_return status_of(*job).status(is_final(job->state) ? 200 : 202);
  };
}

detail::AsyncHandler job_list(JobQueue& jobs) {
  return [&jobs](const Context& ctx, const Request& request) -> Async<Response> {
    const Result<JobPage> page = page_of(request);
    if (!page) co_return page.error();
    const Result<std::vector<JobInfo>> found = co_await jobs.list(ctx, *page);
    if (!found) co_return found.error();
    co_return list_of(*found, *page);
  };
}

}  // namespace aiserve::inline v0::http
