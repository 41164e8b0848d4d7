#include "jobs/payloads.hpp"

#include "aiserve/core/id.hpp"
#include "aiserve/storage/object_store.hpp"
#include "jobs/payload_mark.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr Duration kDropTimeout = std::chrono::seconds(5);

}  // namespace

Result<Bytes> JobPayloads::encode(const TenantId& tenant, const Bytes& plain) const {
  return options_.codec.encode ? options_.codec.encode(tenant, plain) : Result<Bytes>(plain);
}

Result<Bytes> JobPayloads::decode(const TenantId& tenant, const Bytes& stored) const {
  return options_.codec.decode ? options_.codec.decode(tenant, stored) : Result<Bytes>(stored);
}

Context JobPayloads::in_time(const Context& ctx) const {
  if (options_.offload.objects == nullptr) return ctx;
  return ctx.with_deadline(Deadline::after(clock_.now(), options_.offload.orphan_age / 2));
}

Async<Bytes> JobPayloads::store(const Context& ctx, const TenantId& tenant,
                                const Bytes& plain) const {
  const Result<Bytes> encoded = encode(tenant, plain);
  if (!encoded) co_return encoded.error();
  const JobOffload& offload = options_.offload;
  if (offload.objects == nullptr || encoded->size() <= offload.above) co_return escaped(*encoded);
  const StoreKey key(tenant, offload.prefix + make_id());
  const Result<ObjectInfo> put = co_await offload.objects->put(ctx, key, *encoded);
  if (!put) co_return put.error();
  co_return reference_to(key.name());
}

Async<Bytes> JobPayloads::load(const Context& ctx, const TenantId& tenant,
                               const Bytes& stored) const {
  std::optional<std::string> name = referred_by(stored);
  if (!name) co_return decode(tenant, unescaped(stored));
  const Result<Bytes> kept = co_await fetch(ctx, tenant, std::move(*name));
  if (!kept) co_return kept.error();
  co_return decode(tenant, *kept);
}

Async<Bytes> JobPayloads::fetch(const Context& ctx, const TenantId& tenant,
                                std::string name) const {
  ObjectStore* objects = options_.offload.objects;
  if (objects == nullptr) {
    co_return Error(Errc::unavailable, "the payload is in an object store that is not given here");
  }
  if (!name.starts_with(options_.offload.prefix)) {
    co_return Error(Errc::unavailable, "the payload is in an object of another prefix");
  }
  const StoreKey key(tenant, std::move(name));
  Result<Bytes> kept = co_await objects->get(ctx, key, 0, ObjectStore::kToTheEnd);
  if (!kept && kept.error().code() == Errc::not_found) {
    co_return Error(Errc::data_loss, "the object that holds the payload is gone");
  }
  co_return kept;
}

Async<void> JobPayloads::store_outcome(const Context& ctx, const TenantId& tenant,
                                       JobOutcome& outcome) const {
  for (NewJob& next : outcome.next()) {
    Result<Bytes> input = co_await store(ctx, next.tenant, next.input);
    if (!input) co_return input.error();
    next.input = std::move(*input);
  }
  if (outcome.kind() != JobOutcomeKind::done) co_return success();
  if (outcome.result().size() > options_.max_result) {
    co_return Error(Errc::too_large, "the result is larger than max_result");
  }
  Result<Bytes> result = co_await store(ctx, tenant, outcome.result());
  if (!result) co_return result.error();
  outcome.replace_result(std::move(*result));
  co_return success();
}

Context JobPayloads::for_drops() const {
  return Context::background().with_deadline(Deadline::after(clock_.now(), kDropTimeout));
}

boost::asio::awaitable<void> JobPayloads::drop(const Context& ctx, TenantId tenant,
                                               Bytes stored) const {
  const std::optional<std::string> name = referred_by(stored);
  if (!name || options_.offload.objects == nullptr) co_return;
  if (!ctx.check(clock_.now()).ok()) co_return;
  const StoreKey key(tenant, *name);
  static_cast<void>(co_await options_.offload.objects->remove(ctx, key));
}

}  // namespace aiserve::inline v0::detail
