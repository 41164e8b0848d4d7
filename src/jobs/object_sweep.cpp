#include "jobs/object_sweep.hpp"

#include "aiserve/core/telemetry.hpp"
#include "core/random.hpp"
#include "jobs/payload_mark.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPageTimeout = 30s;
constexpr std::size_t kMostSuspects = 100'000;

std::map<TenantId, std::vector<StoreKey>> by_tenant(std::vector<StoreKey> keys) {
  std::map<TenantId, std::vector<StoreKey>> parts;
  for (StoreKey& key : keys) parts[key.tenant()].push_back(std::move(key));
  return parts;
}

}  // namespace

void ObjectSweep::end() noexcept {
  ended_.store(true, std::memory_order_release);
  bell_.ring();
}

// Jittered, so that processes that started together don't sweep together; the first time soon, for
// processes that do not live long.
Task ObjectSweep::run() {
  const auto quarter = static_cast<std::uint64_t>(Duration(offload_.sweep).count() / 4);
  const auto jitter = [=] { return Duration(static_cast<std::int64_t>(random_u64() % quarter)); };
  Duration pause = jitter();
  while (!ended_.load(std::memory_order_acquire)) {
    co_await bell_.wait(Deadline::after(runtime_.clock().now(), pause));
    if (ended_.load(std::memory_order_acquire)) co_return;
    pause = offload_.sweep - jitter();
    const Result<void> swept = co_await sweep();
    if (swept) continue;
    const std::string why = swept.error().to_string();
    runtime_.telemetry().log().warn("objects that no job refers to could not be deleted",
                                    {{"error", why}});
  }
}

Async<void> ObjectSweep::sweep() {
  found_.clear();
  failed_ = success();
  ObjectPage page{.prefix = offload_.prefix,
                  .before = runtime_.clock().wall_now() - offload_.orphan_age};
  do {
    const Context ctx =
        Context::background().with_deadline(Deadline::after(runtime_.clock().now(), kPageTimeout));
    Result<ObjectList> found = co_await offload_.objects->list(ctx, page);
    if (!found) co_return found.error();
    for (const auto& part : by_tenant(std::move(found->keys))) {
      const Result<void> swept = co_await sweep(ctx, part.second);
      if (!swept) co_return swept.error();
    }
    page.after = std::move(found->next);
  } while (!page.after.empty() && !ended_.load(std::memory_order_acquire));
  suspects_ = std::exchange(found_, {});
  co_return failed_;
}

Async<void> ObjectSweep::sweep(const Context& ctx, const std::vector<StoreKey>& of_one_tenant) {
  const TenantId tenant = of_one_tenant.front().tenant();
  std::vector<Bytes> references;
  references.reserve(of_one_tenant.size());
  for (const StoreKey& key : of_one_tenant) references.push_back(reference_to(key.name()));
  const Result<std::vector<bool>> referred = co_await reader_.refers(ctx, tenant, references);
  if (!referred) co_return referred.error();
  if (referred->size() != of_one_tenant.size()) {
    co_return Error(Errc::internal, "the job store answered for other objects");
  }
  for (std::size_t i = 0; i < of_one_tenant.size(); ++i) {
    const StoreKey& key = of_one_tenant[i];
    const bool suspected = suspects_.erase(key) != 0;
    if ((*referred)[i]) continue;
    if (!suspected || !co_await removed(ctx, key)) suspect(key);
  }
  co_return success();
}

// One that cannot be removed must not keep those behind it.
boost::asio::awaitable<bool> ObjectSweep::removed(const Context& ctx, const StoreKey& key) {
  const Result<bool> removed = co_await offload_.objects->remove(ctx, key);
  if (!removed) failed_ = removed.error();
  if (removed && *removed) metrics_.objects_deleted.inc();
  co_return removed.ok();
}

void ObjectSweep::suspect(const StoreKey& key) {
  if (found_.size() < kMostSuspects) found_.insert(key);
}

}  // namespace aiserve::inline v0::detail
