/// What every store has to do, as cases that any test framework can run. A case ends in an error
/// that says in its message what the store did wrong. Each wants a store in which the tenants
/// "conformance-..." have nothing.
/// *Thread safety:* as the store.
///
///     for (const auto& one : testing::key_value_store_cases()) {
///       const Result<void> held = block_on(runtime, one.run(Context::background(), store, pass));
///       CHECK_MESSAGE(held.ok(), one.name, held.error().message());
///     }
#pragma once

#include <aiserve/storage/audit_sink.hpp>
#include <aiserve/storage/idempotency_store.hpp>
#include <aiserve/storage/key_value_store.hpp>
#include <aiserve/storage/object_store.hpp>

#include <functional>
#include <span>
#include <string_view>

namespace aiserve::inline v0::testing {

/// Lets this much time pass for the store: moves its ManualClock, or sleeps.
using PassTime = std::function<void(Duration)>;

template <class Store>
struct StoreCase {
  std::string_view name;
  Async<void> (*run)(const Context& ctx, Store& store, const PassTime& pass);
};

/// Values of up to 100 KiB.
std::span<const StoreCase<KeyValueStore>> key_value_store_cases() noexcept;
std::span<const StoreCase<IdempotencyStore>> idempotency_store_cases() noexcept;
/// The log's chain is keyed with kAuditKey.
inline constexpr std::string_view kAuditKey = "conformance";
std::span<const StoreCase<AuditLog>> audit_log_cases() noexcept;
/// Objects of up to 1 MiB.
std::span<const StoreCase<ObjectStore>> object_store_cases() noexcept;

}  // namespace aiserve::inline v0::testing
