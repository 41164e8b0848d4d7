#include "aiserve/core/bounded_label.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <utility>

#include "aiserve/core/error.hpp"
#include "core/heavy_hitters.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kMaxTop = 10'000;
constexpr std::size_t kMaxValue = 256;  // longer ones count as other

void check(const BoundedLabelOptions& options) {
  if (options.top == 0 || options.top > kMaxTop) {
    throw ConfigError("bounded label top must be between 1 and 10000");
  }
  if (options.half_life == 0) throw ConfigError("bounded label half_life must be at least 1");
}

}  // namespace

struct BoundedLabel::Impl {
  explicit Impl(BoundedLabelOptions given)
      : options((check(given), std::move(given))), hitters(options.top, options.half_life) {}

  Slot slot(std::string_view value);
  Slot find(std::string_view value) noexcept;
  Slot admit(std::string_view value);

  const BoundedLabelOptions options;
  mutable std::shared_mutex mutex;
  detail::HeavyHitters hitters;
  std::vector<BoundedCounter*> counters;
};

BoundedLabel::Slot BoundedLabel::Impl::find(std::string_view value) noexcept {
  const std::shared_lock lock(mutex);
  const Slot slot = hitters.named(value);
  if (slot == kOther || hitters.due()) return kOther;
  hitters.count_named(slot);
  return slot;
}

BoundedLabel::Slot BoundedLabel::Impl::admit(std::string_view value) {
  const std::scoped_lock lock(mutex);
  if (hitters.due()) hitters.age();
  if (const Slot slot = hitters.named(value); slot != kOther) {
    hitters.count_named(slot);
    return slot;
  }
  const auto change = hitters.count_unnamed(value);
  if (change.replaced) {
    for (BoundedCounter* counter : counters) counter->retire(change.slot);
  }
  return change.slot;
}

BoundedLabel::Slot BoundedLabel::Impl::slot(std::string_view value) {
  if (value.empty()) value = options.empty;
  if (value == options.other || value.size() > kMaxValue) return kOther;
  const Slot known = find(value);
  return known != kOther ? known : admit(value);
}

BoundedLabel::BoundedLabel(BoundedLabelOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
BoundedLabel::~BoundedLabel() = default;

BoundedLabel::Slot BoundedLabel::slot(std::string_view value) noexcept {
  try {
    return impl_->slot(value);
  } catch (const std::bad_alloc&) {
    return kOther;
  }
}

const BoundedLabelOptions& BoundedLabel::options() const noexcept { return impl_->options; }

std::vector<std::string> BoundedLabel::values() const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<std::string> values = impl_->hitters.values();
  values[kOther] = impl_->options.other;
  return values;
}

BoundedCounter::BoundedCounter(BoundedLabel& label)
    : label_(label), size_(label.options().top + 1), base_(size_) {
  const std::scoped_lock lock(label_.impl_->mutex);
  label_.impl_->counters.push_back(this);
}

BoundedCounter::~BoundedCounter() {
  {
    const std::scoped_lock lock(label_.impl_->mutex);
    std::erase(label_.impl_->counters, this);
  }
  for (auto& row : rows_) delete[] row.load(std::memory_order_relaxed);
}

std::atomic<std::uint64_t>* BoundedCounter::row(std::uint32_t thread) noexcept {
  auto* known = rows_[thread].load(std::memory_order_acquire);
  if (known != nullptr) return known;
  auto* fresh = new (std::nothrow) std::atomic<std::uint64_t>[size_]();
  if (fresh == nullptr) return nullptr;
  if (rows_[thread].compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) return fresh;
  delete[] fresh;  // another thread of a shared slot was first
  return known;
}

void BoundedCounter::inc(BoundedLabel::Slot slot, std::uint64_t n) noexcept {
  const std::uint32_t thread = detail::thread_slot();
  auto* const cells = row(thread);
  if (cells != nullptr && slot < size_) detail::add_to_cell(cells[slot], thread, n);
}

std::uint64_t BoundedCounter::sum(BoundedLabel::Slot slot) const noexcept {
  std::uint64_t total = 0;
  for (const auto& row : rows_) {
    const auto* cells = row.load(std::memory_order_acquire);
    if (cells != nullptr) total += cells[slot].load(std::memory_order_relaxed);
  }
  return total;
}

void BoundedCounter::retire(BoundedLabel::Slot slot) noexcept {
  const std::uint64_t now = sum(slot);
  retired_ += now - base_[slot];
  base_[slot] = now;
}

std::vector<BoundedCounter::Value> BoundedCounter::values() const {
  const std::shared_lock lock(label_.impl_->mutex);
  const auto& names = label_.impl_->hitters.values();
  std::vector<Value> values{{label_.options().other, sum(BoundedLabel::kOther) + retired_}};
  for (BoundedLabel::Slot slot = 1; slot < names.size(); ++slot) {
    values.push_back({names[slot], sum(slot) - base_[slot]});
  }
  return values;
}

}  // namespace aiserve::inline v0
