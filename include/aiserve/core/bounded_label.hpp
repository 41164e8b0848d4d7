/// BoundedLabel and BoundedCounter: metrics per tenant (or any value from outside) with a bounded
/// number of series.
///
/// The `top` values with the most traffic have a name of their own, everything else counts as
/// "other". A value whose traffic outgrows that of the smallest named one takes its place; what the
/// loser had counted moves to "other", so the sum over the label is always the true total. Traffic
/// of the unnamed is estimated by Space-Saving (Metwally et al. 2005) in 8-way rows, and ages by
/// halving, so that yesterday's giants leave.
/// *Thread safety:* any thread. A named value costs a shared lock and a look-up.
///
///     BoundedLabel& tenants = metrics.bounded_label("tenant");
///     BoundedCounter& requests = metrics.counter("app_requests_total", "Requests.", tenants);
///     requests.inc(ctx.tenant().id().view());
#pragma once

#include <aiserve/core/thread_slot.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

struct BoundedLabelOptions {
  /// The label's name.
  std::string name = "tenant";
  /// Values with a name of their own, 1 to 10,000. Each costs a series in every family that uses
  /// the label.
  std::size_t top = 100;
  /// What all others are called. A value spelled like this counts there, too.
  std::string other = "other";
  /// What the empty value is called.
  std::string empty = "anonymous";
  /// Observations after which all traffic so far counts half, at least 1.
  std::uint64_t half_life = 1 << 20;
};

class BoundedCounter;

class BoundedLabel {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kOther = 0;

  /// Throws ConfigError when an option is out of its range.
  explicit BoundedLabel(BoundedLabelOptions options = {});
  ~BoundedLabel();
  BoundedLabel(const BoundedLabel&) = delete;
  BoundedLabel& operator=(const BoundedLabel&) = delete;

  /// Counts one unit of traffic of `value` and returns where it counts now. Use the slot at once,
  /// for all families of one event: later it may stand for another value.
  Slot slot(std::string_view value) noexcept;

  const BoundedLabelOptions& options() const noexcept;
  /// Per slot what it stands for: "other" first, then the named values.
  std::vector<std::string> values() const;

 private:
  friend class BoundedCounter;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class BoundedCounter {
 public:
  struct Value {
    std::string label;
    std::uint64_t count;
  };

  /// The label outlives the counter.
  explicit BoundedCounter(BoundedLabel& label);
  ~BoundedCounter();
  BoundedCounter(const BoundedCounter&) = delete;
  BoundedCounter& operator=(const BoundedCounter&) = delete;

  void inc(std::string_view value, std::uint64_t n = 1) noexcept { inc(label_.slot(value), n); }
  void inc(BoundedLabel::Slot slot, std::uint64_t n = 1) noexcept;

  /// "other" first, then the named values.
  std::vector<Value> values() const;
  const BoundedLabel& label() const noexcept { return label_; }

 private:
  friend class BoundedLabel;
  std::atomic<std::uint64_t>* row(std::uint32_t thread) noexcept;
  std::uint64_t sum(BoundedLabel::Slot slot) const noexcept;
  void retire(BoundedLabel::Slot slot) noexcept;

  BoundedLabel& label_;
  const std::size_t size_;
  std::array<std::atomic<std::atomic<std::uint64_t>*>, detail::kSlots> rows_{};
  // Guarded by the label's lock. Cells only grow; what a slot shows is what came since its base.
  std::vector<std::uint64_t> base_;
  std::uint64_t retired_ = 0;
};

}  // namespace aiserve::inline v0
