#include "jobs/kind_table.hpp"

#include "jobs/check_queue_options.hpp"

namespace aiserve::inline v0 {
namespace detail {
namespace {

decide::Nanos nanos(std::chrono::milliseconds length) noexcept { return Duration(length).count(); }

decide::BackoffPolicy policy_of(const JobBackoff& backoff) noexcept {
  return {.base = nanos(backoff.first), .cap = nanos(backoff.longest), .factor = backoff.factor};
}

decide::StartRate rate_of(const JobRate& rate) noexcept {
  return {.per_second = rate.per_second, .burst = rate.burst};
}

}  // namespace

decide::AttemptLimits JobKind::limits(std::chrono::milliseconds timeout) const noexcept {
  const decide::Nanos soft = options.soft_timeout ? nanos(*options.soft_timeout) : decide::kNever;
  return {.soft = soft, .hard = nanos(timeout)};
}

void KindTable::add(std::string name, JobKindOptions options, JobHandler handler,
                    JobMetrics& metrics) {
  check_kind(options_, name, options, static_cast<bool>(handler));
  std::string stored = job_kind(name, options.version);
  if (find(stored) != nullptr) {
    throw ConfigError("jobs " + options_.name + ": " + stored + " has a handler already");
  }
  JobKind kind{.name = std::move(name),
               .stored = stored,
               .options = options,
               .handler = std::move(handler),
               .backoff = policy_of(options.backoff.value_or(options_.backoff)),
               .rate = rate_of(options.rate),
               .order_rate = rate_of(options.order_rate),
               .metrics = metrics.of_kind(stored)};
  by_stored_.emplace(std::move(stored), &kinds_.emplace_back(std::move(kind)));
}

const JobKind* KindTable::find(std::string_view stored) const noexcept {
  const auto found = by_stored_.find(stored);
  return found == by_stored_.end() ? nullptr : found->second;
}

const JobKind* KindTable::latest(std::string_view name) const noexcept {
  const JobKind* best = nullptr;
  for (const JobKind& kind : kinds_) {
    if (kind.name != name) continue;
    if (best == nullptr || kind.options.version > best->options.version) best = &kind;
  }
  return best;
}

}  // namespace detail

std::string job_kind(std::string_view kind, int version) {
  std::string name(kind);
  if (version != 1) name += '@' + std::to_string(version);
  return name;
}

}  // namespace aiserve::inline v0
