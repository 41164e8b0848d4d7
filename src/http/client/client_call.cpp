#include "http/client/client_call.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/random.hpp"
#include "decide/backoff.hpp"
#include "http/http_date.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// Of the time told to the service whole milliseconds arrive, and its answer when they are over
// comes back a little before ours are.
constexpr auto kLastMoment = std::chrono::milliseconds(2);
constexpr auto kForever = std::numeric_limits<std::int64_t>::max();

decide::BackoffPolicy policy_of(const ClientRetryOptions& options) noexcept {
  return {.base = Duration(options.first_pause).count(),
          .cap = Duration(options.longest_pause).count(),
          .longest_wait = Duration(options.longest_wait).count()};
}

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// RFC 9110 section 10.2.3; negative: there is none.
Duration retry_after(std::string_view value, WallTime now) noexcept {
  std::uint32_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, seconds);
  if (!value.empty() && read.ec == std::errc() && read.ptr == end) {
    return std::chrono::seconds(seconds);
  }
  const auto date = parse_http_date(value);
  if (!date) return Duration(-1);
  return std::max(WallTime(std::chrono::seconds(*date)) - now, WallTime::duration::zero());
}

}  // namespace

ClientCall::ClientCall(ClientCore& core, ClientThread& thread, const Context& ctx, Deadline own,
                       const ClientRequest& request, bool whole)
    : core_(core),
      thread_(thread),
      ctx_(ctx),
      request_(request),
      whole_(whole),
      hurried_(ctx.deadline() < own),
      method_(request.method()) {}

Async<void> ClientCall::run() {
  const Result<void> sendable = check_fields(request_);
  if (!sendable.ok()) co_return sendable.error();
  Result<Url> url = Url::parse(request_.url());
  if (!url.ok()) co_return url.error();
  url_ = std::move(*url);
  for (const auto& [name, value] : request_.queries()) url_->add_query(name, value);
  for (;;) {
    const Result<void> came = co_await answer_here();
    if (!came.ok()) co_return came.error();
    Result<std::optional<Url>> next = redirect();
    if (!next.ok()) co_return next.error();
    if (!*next) co_return success();
    url_ = std::move(*next);
  }
}

// Of the origin that the call has come to.
Async<void> ClientCall::answer_here() {
  const Result<OriginPool*> pool = thread_.origin(*url_);
  if (!pool.ok()) co_return pool.error();
  OriginPool& origin = **pool;
  const OriginPool::Pin pin(origin);
  origin.budget().called();
  OriginPool::Permit permit(origin);
  // What is sent once only must not meet a kept connection that has just ended.
  const ClientBody* const source = request_.source();
  bool fresh = !request_.retries() || (source != nullptr && !source->rewind);
  for (;;) {
    const Result<void> came = co_await attempt(origin, permit, fresh);
    if (stale_at_first(came, fresh)) {
      fresh = true;  // under the same permit: a probe is still to come
      core_.metrics.stale_retries.inc();
      continue;
    }
    permit.drop();
    const std::optional<Duration> wait = pause(origin, came);
    if (!wait) co_return came;
    exchange_.reset();
    core_.metrics.retries.inc();
    const Result<void> slept = co_await sleep(ctx_, *wait);
    if (!slept.ok()) co_return slept.error();
  }
}

bool ClientCall::stale_at_first(const Result<void>& came, bool fresh) const {
  return !fresh && !came.ok() && decide::was_stale(outcome_) && repeatable() &&
         ctx_.check(core_.runtime.clock().now()).ok();
}

bool ClientCall::repeatable() const noexcept {
  const bool body_left = !begun_ || !with_body_ || request_.source()->rewind != nullptr;
  return request_.retries() && body_left && decide::may_repeat(outcome_, request_.idempotent());
}

Async<void> ClientCall::attempt(OriginPool& pool, OriginPool::Permit& permit, bool fresh) {
  outcome_ = decide::CallOutcome{.refused = true};
  exchange_.reset();
  Duration rest{};
  if (!permit.ask(rest)) {
    co_return Error(Errc::unavailable, "the service has failed too often")
        .retry_after(std::chrono::ceil<std::chrono::milliseconds>(rest));
  }
  const Result<void> came = co_await exchange(pool, fresh);
  settle(permit, came);
  co_return came;
}

Async<void> ClientCall::exchange(OriginPool& pool, bool fresh) {
  Result<OriginPool::Slot> slot = co_await pool.enter(ctx_);
  if (!slot.ok()) co_return slot.error();
  outcome_.refused = false;
  if (begun_ && with_body_) {
    const Result<void> rewound = request_.source()->rewind();
    outcome_.refused = !rewound.ok();
    if (!rewound.ok()) co_return rewound.error();
  }
  exchange_ = std::make_unique<ClientExchange>(core_, thread_, pool, std::move(*slot), sender());
  const auto unbounded = static_cast<std::uint64_t>(kForever);
  const std::uint64_t fallback = whole_ ? core_.options.max_body : unbounded;
  const ResponseShape shape{request_.max_body().value_or(fallback), method_ == Method::head};
  const Result<void> started = co_await exchange_->start(ctx_, *url_, shape, fresh);
  if (!started.ok()) co_return started.error();
  if (whole_) co_return co_await read_body();
  co_return success();
}

std::unique_ptr<RequestSender> ClientCall::sender() const {
  const WireHead wire{*url_, method_, with_body_, own_origin_, remaining()};
  std::string head = encode_head(request_, wire, ctx_, core_.options);
  const ClientBody* const source = request_.source();
  if (with_body_ && source != nullptr) {
    return std::make_unique<RequestSender>(std::move(head), *source);
  }
  return std::make_unique<RequestSender>(std::move(head), with_body_ ? request_.body() : Bytes());
}

Async<void> ClientCall::read_body() {
  body_.clear();
  body_.reserve(exchange_->expected());
  for (;;) {
    const Result<bool> more = co_await exchange_->more(ctx_, body_);
    if (!more.ok()) co_return more.error();
    if (!*more) co_return success();
  }
}

void ClientCall::settle(OriginPool::Permit& permit, const Result<void>& came) {
  if (exchange_ == nullptr) return;
  outcome_.sent = exchange_->sent();
  outcome_.answered = exchange_->answered();
  outcome_.reused = exchange_->reused();
  if (came.ok()) {
    outcome_.status = head().status;
  } else {
    const Errc code = came.error().code();
    outcome_.refused = code == Errc::permission_denied || code == Errc::too_large;
    outcome_.broken = code == Errc::unavailable;
  }
  begun_ = begun_ || exchange_->begun();
  outcome_.refused = outcome_.refused || exchange_->spoiled();
  outcome_.given_up = given_up(came) || exchange_->spoiled();
  if (decide::tells_of_peer(outcome_)) permit.report(decide::is_failure(outcome_));
}

// Else a caller in a hurry would open the breaker for all others.
bool ClientCall::given_up(const Result<void>& came) const {
  if (came.ok()) return hurried_ && outcome_.status == 504 && remaining() < kLastMoment;
  const Errc code = came.error().code();
  if (code == Errc::cancelled) return true;
  if (code != Errc::deadline_exceeded) return false;
  return ctx_.cancelled() || (hurried_ && remaining() < kLastMoment);
}

std::optional<Duration> ClientCall::pause(OriginPool& pool, const Result<void>& came) {
  if (!decide::is_transient(outcome_)) return std::nullopt;
  if (!repeatable()) return std::nullopt;
  if (++attempts_ >= core_.options.retry.attempts || ctx_.cancelled()) return std::nullopt;
  const Duration asked = asked_to_wait(came);
  if (asked > core_.options.retry.longest_wait) return std::nullopt;
  const auto failures = static_cast<std::uint32_t>(attempts_);
  const Duration jitter(
      decide::full_jitter(policy_of(core_.options.retry), failures, v0::detail::random_u64()));
  const Duration wait = std::max(asked, Duration::zero()) + jitter;
  if (!decide::fits(wait.count(), remaining().count())) return std::nullopt;
  if (pool.budget().take()) return wait;
  core_.metrics.budget_refused.inc();
  return std::nullopt;
}

Duration ClientCall::asked_to_wait(const Result<void>& came) const {
  if (!came.ok()) return Duration(-1);
  return retry_after(exchange_->head().field("retry-after"), core_.runtime.clock().wall_now());
}

Duration ClientCall::remaining() const noexcept {
  return ctx_.deadline().remaining(core_.runtime.clock().now());
}

Result<std::optional<Url>> ClientCall::redirect() {
  const int status = head().status;
  const std::string_view location = head().field("location");
  if (!is_redirect(status) || location.empty() || core_.options.max_redirects == 0) {
    return std::optional<Url>();
  }
  Result<Url> next = url_->resolve(location);
  if (!next.ok()) {
    return Error(Errc::unavailable, "the service redirects to no valid URL")
        .with_detail(next.error().message());
  }
  if (url_->secure() && !next->secure()) {
    return Error(Errc::permission_denied, "the service redirects from https to http");
  }
  const bool to_get = status == 303 || (status <= 302 && method_ == Method::post);
  const bool same = next->origin() == url_->origin();
  const bool gone = begun_ && request_.source()->rewind == nullptr;
  if (!to_get && with_body_ && ((!same && request_.has_body()) || gone)) {
    return std::optional<Url>();
  }
  if (++redirects_ > core_.options.max_redirects) {
    return Error(Errc::unavailable, "the service redirects too often");
  }
  own_origin_ = own_origin_ && same;  // credentials don't come back with it
  if (to_get) {
    with_body_ = false;
    if (method_ != Method::head) method_ = Method::get;
  }
  return std::optional<Url>(std::move(*next));
}

}  // namespace aiserve::inline v0::http::detail
