#include "aiserve/storage/memory_key_value_store.hpp"

#include <map>
#include <mutex>

#include "storage/counting.hpp"
#include "storage/memory_options.hpp"

namespace aiserve::inline v0 {

struct MemoryKeyValueStore::Impl {
  struct Slot {
    Bytes value;
    std::int64_t version = 0;
    Deadline expires;
  };
  using Slots = std::map<StoreKey, Slot>;

  explicit Impl(const MemoryStoreOptions& given)
      : options(detail::checked(given, "memory key value store")),
        clock(options.clock != nullptr ? *options.clock : Clock::steady()) {}

  static std::size_t size_of(const StoreKey& key, const Bytes& value) noexcept {
    return key.name().size() + value.size() + sizeof(Slots::value_type);
  }

  /// What is there now; an expired slot is not.
  Slots::iterator find(const StoreKey& key) {
    const auto found = slots.find(key);
    if (found == slots.end() || !found->second.expires.expired(clock.now())) return found;
    drop(found);
    return slots.end();
  }

  std::size_t held_by(const StoreKey& key) {
    const auto slot = find(key);
    return slot == slots.end() ? 0 : size_of(key, slot->second.value);
  }

  Slots::iterator drop(Slots::iterator slot) {
    used -= size_of(slot->first, slot->second.value);
    return slots.erase(slot);
  }

  void drop_expired() {
    const TimePoint now = clock.now();
    for (auto slot = slots.begin(); slot != slots.end();) {
      slot = slot->second.expires.expired(now) ? drop(slot) : std::next(slot);
    }
  }

  Result<std::int64_t> put(const StoreKey& key, const Bytes& value, const PutOptions& wanted) {
    const auto old = find(key);
    const std::int64_t version = old == slots.end() ? PutOptions::kAbsent : old->second.version;
    if (wanted.if_version && *wanted.if_version != version) return detail::version_conflict();
    Deadline expires = Deadline::never();
    if (wanted.ttl) expires = Deadline::after(clock.now(), *wanted.ttl);
    return write(key, value, expires);
  }

  Result<Sum> add(const StoreKey& key, std::int64_t amount, const AddOptions& wanted) {
    const auto old = find(key);
    const bool there = old != slots.end();
    std::optional<std::string_view> text;
    if (there) text = old->second.value.text();
    Result<Sum> sum = detail::added_to(text, amount, wanted.at_most);
    if (!sum.ok() || !sum->added || amount == 0) return sum;
    Deadline expires = there ? old->second.expires : Deadline::never();
    if (!there && wanted.ttl) expires = Deadline::after(clock.now(), *wanted.ttl);
    const Result<std::int64_t> written = write(key, detail::number_bytes(sum->value), expires);
    if (!written.ok()) return written.error();
    return sum;
  }

  Result<std::int64_t> write(const StoreKey& key, const Bytes& value, Deadline expires) {
    const std::size_t size = size_of(key, value);
    std::size_t freed = held_by(key);
    if (used - freed + size > options.capacity) {
      drop_expired();
      freed = held_by(key);  // it may have been one of them
    }
    if (used - freed + size > options.capacity) {
      return Error(Errc::overloaded, "the store is full").retry_after(std::chrono::seconds(1));
    }
    Slot slot{value.compact(), ++last_version, expires};
    slots.insert_or_assign(key, std::move(slot));
    used += size - freed;
    return last_version;
  }

  std::vector<StoreKey> list(const TenantId& tenant, const KeyPage& page) {
    drop_expired();
    std::vector<StoreKey> keys;
    const std::string_view from = std::max(page.prefix, page.after);
    for (auto slot = slots.lower_bound(StoreKey(tenant, std::string(from)));
         slot != slots.end() && slot->first.tenant() == tenant &&
         slot->first.name().starts_with(page.prefix) &&
         keys.size() < static_cast<std::size_t>(page.limit);
         ++slot) {
      if (slot->first.name() > page.after) keys.push_back(slot->first);
    }
    return keys;
  }

  const MemoryStoreOptions options;
  const Clock& clock;
  mutable std::mutex mutex;
  Slots slots;
  std::size_t used = 0;
  std::int64_t last_version = 0;
};

MemoryKeyValueStore::MemoryKeyValueStore(MemoryStoreOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
MemoryKeyValueStore::~MemoryKeyValueStore() = default;

Async<std::optional<Versioned>> MemoryKeyValueStore::get(const Context& /*ctx*/,
                                                         const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->find(key);
  if (found == impl_->slots.end()) co_return std::nullopt;
  co_return Versioned(found->second.value, found->second.version);
}

Async<std::int64_t> MemoryKeyValueStore::put(const Context& /*ctx*/, const StoreKey& key,
                                             const Bytes& value, const PutOptions& options) {
  const Result<void> good = detail::check_put(key, value, impl_->options.max_value, options);
  if (!good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  co_return impl_->put(key, value, options);
}

Async<Sum> MemoryKeyValueStore::add(const Context& /*ctx*/, const StoreKey& key,
                                    std::int64_t amount, const AddOptions& options) {
  const Result<void> good = detail::check_add(key, options);
  if (!good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  co_return impl_->add(key, amount, options);
}

Async<bool> MemoryKeyValueStore::erase(const Context& /*ctx*/, const StoreKey& key,
                                       std::optional<std::int64_t> if_version) {
  if (auto good = key.check(); !good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->find(key);
  const bool there = found != impl_->slots.end();
  if (if_version && (!there || found->second.version != *if_version)) {
    co_return detail::version_conflict();
  }
  if (there) impl_->drop(found);
  co_return there;
}

Async<std::vector<StoreKey>> MemoryKeyValueStore::list(const Context& /*ctx*/,
                                                       const TenantId& tenant,
                                                       const KeyPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  co_return impl_->list(tenant, page);
}

std::size_t MemoryKeyValueStore::bytes() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->used;
}

}  // namespace aiserve::inline v0
