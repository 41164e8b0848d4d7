#include "aiserve/core/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "aiserve/core/bounded_label.hpp"
#include "aiserve/core/error.hpp"
#include "core/metric_names.hpp"
#include "core/prometheus.hpp"

namespace aiserve::inline v0 {
namespace detail {

struct GaugeCallback {
  std::mutex mutex;
  std::function<double()> read;  // empty once the handle is gone
};

}  // namespace detail

namespace {

using detail::GaugeCallback;

enum class Kind { counter, gauge, histogram };

/// What is exported under one name and one set of labels.
struct Series {
  explicit Series(Labels given) : labels(std::move(given)) {}
  virtual ~Series() = default;
  virtual void visit(const MetricFamily& family, MetricVisitor& visitor) const = 0;

  const Labels labels;
};

struct CounterSeries final : Series {
  using Series::Series;
  void visit(const MetricFamily& family, MetricVisitor& visitor) const override {
    visitor.counter(family, labels, metric.value());
  }
  Counter metric;
};

struct GaugeSeries final : Series {
  using Series::Series;
  void visit(const MetricFamily& family, MetricVisitor& visitor) const override {
    visitor.gauge(family, labels, metric.value());
  }
  Gauge metric;
};

struct HistogramSeries final : Series {
  using Series::Series;
  void visit(const MetricFamily& family, MetricVisitor& visitor) const override {
    visitor.histogram(family, labels, metric.snapshot());
  }
  Histogram metric;
};

struct CallbackSeries final : Series {
  using Series::Series;
  void visit(const MetricFamily& family, MetricVisitor& visitor) const override {
    if (const auto value = read()) visitor.gauge(family, labels, *value);
  }

  void add(std::shared_ptr<GaugeCallback> callback) {
    const std::scoped_lock lock(mutex);
    std::erase_if(callbacks, [](const auto& known) {
      const std::scoped_lock one(known->mutex);
      return !known->read;
    });
    callbacks.push_back(std::move(callback));
  }

  // The sum over the callbacks that still have a handle, nothing if none has. One that throws has
  // no value now.
  std::optional<double> read() const {
    std::unique_lock lock(mutex);
    const auto current = callbacks;
    lock.unlock();
    std::optional<double> sum;
    for (const auto& callback : current) {
      if (const auto value = read(*callback)) sum = sum.value_or(0) + *value;
    }
    return sum;
  }

  static std::optional<double> read(GaugeCallback& callback) {
    const std::scoped_lock lock(callback.mutex);
    try {
      if (callback.read) return callback.read();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
    return std::nullopt;
  }

  mutable std::mutex mutex;
  std::vector<std::shared_ptr<GaugeCallback>> callbacks;
};

struct BoundedSeries final : Series {
  BoundedSeries(Labels given, BoundedLabel& label) : Series(std::move(given)), metric(label) {}
  void visit(const MetricFamily& family, MetricVisitor& visitor) const override {
    for (auto& [value, count] : metric.values()) {
      Labels all = labels;
      all.add({metric.label().options().name, value});
      visitor.counter(family, all, count);
    }
  }
  BoundedCounter metric;
};

struct Family {
  Kind kind;
  std::string help;
  std::vector<std::string> label_names;
  std::vector<double> bounds{};
  std::vector<std::unique_ptr<Series>> series{};
};

std::vector<std::string> names_of(const Labels& labels, std::string_view extra) {
  std::vector<std::string> names;
  for (const Label& label : labels) names.push_back(label.name);
  if (!extra.empty()) names.emplace_back(extra);
  std::sort(names.begin(), names.end());
  return names;
}

void check_bounds(std::string_view name, std::span<const double> bounds) {
  const bool good =
      std::is_sorted(bounds.begin(), bounds.end(), std::less_equal<>()) &&
      std::all_of(bounds.begin(), bounds.end(), [](double b) { return std::isfinite(b); });
  if (!good) {
    throw ConfigError("metric " + std::string(name) + ": bounds must be finite and ascend");
  }
}

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw ConfigError("metric " + std::string(name) + " " + std::string(why));
}

}  // namespace

struct Metrics::Impl {
  using Families = std::map<std::string, Family, std::less<>>;

  Family& family(std::string_view name, std::string_view help, Kind kind, const Labels& labels,
                 std::string_view extra = {});
  void check_collision(std::string_view name, Kind kind) const;
  template <class S, class... Args>
  S& series(Family& family, std::string_view name, Labels labels, Args&... args);

  std::mutex mutex;
  Families families;
  // Named values outlive the counters in families: those are destroyed first, by ~Impl's order.
  std::map<std::string, std::unique_ptr<BoundedLabel>, std::less<>> bounded;
  ~Impl() { families.clear(); }
};

// A histogram x exports x_bucket, x_sum and x_count: no other family may be called so.
void Metrics::Impl::check_collision(std::string_view name, Kind kind) const {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    const std::string_view base =
        name.substr(0, name.size() - std::min(name.size(), suffix.size()));
    const auto owner = families.find(base);
    const bool taken =
        name.ends_with(suffix) && owner != families.end() && owner->second.kind == Kind::histogram;
    const bool takes =
        kind == Kind::histogram && families.contains(std::string(name) + std::string(suffix));
    if (taken || takes) refuse(name, "collides with a histogram's series");
  }
}

Family& Metrics::Impl::family(std::string_view name, std::string_view help, Kind kind,
                              const Labels& labels, std::string_view extra) {
  detail::check_metric_name(name);
  detail::check_labels(name, labels, extra);
  auto names = names_of(labels, extra);
  const auto known = families.find(name);
  if (known == families.end()) {
    check_collision(name, kind);
    Family fresh{.kind = kind, .help = std::string(help), .label_names = std::move(names)};
    return families.emplace(name, std::move(fresh)).first->second;
  }
  if (known->second.kind != kind) refuse(name, "is there already as another kind");
  if (known->second.label_names != names) refuse(name, "is there already with other labels");
  return known->second;
}

template <class S, class... Args>
S& Metrics::Impl::series(Family& family, std::string_view name, Labels labels, Args&... args) {
  for (const auto& known : family.series) {
    if (known->labels != labels) continue;
    auto* same = dynamic_cast<S*>(known.get());
    if (same == nullptr) refuse(name, "is there already, counted in another way");
    return *same;
  }
  auto fresh = std::make_unique<S>(std::move(labels), args...);
  S& added = *fresh;
  family.series.push_back(std::move(fresh));
  return added;
}

Labels::Labels(std::initializer_list<Label> labels) {
  for (const Label& label : labels) add(label);
}

void Labels::add(Label label) {
  const auto place =
      std::upper_bound(labels_.begin(), labels_.end(), label,
                       [](const Label& a, const Label& b) { return a.name < b.name; });
  labels_.insert(place, std::move(label));
}

std::uint64_t Counter::value() const noexcept {
  std::uint64_t total = 0;
  for (const Cell& cell : cells_) total += cell.value.load(std::memory_order_relaxed);
  return total;
}

CallbackGauge::CallbackGauge() noexcept = default;
CallbackGauge::CallbackGauge(CallbackGauge&&) noexcept = default;
CallbackGauge::CallbackGauge(std::shared_ptr<GaugeCallback> callback) noexcept
    : callback_(std::move(callback)) {}
CallbackGauge::~CallbackGauge() { reset(); }

CallbackGauge& CallbackGauge::operator=(CallbackGauge&& other) noexcept {
  if (this == &other) return *this;
  reset();
  callback_ = std::move(other.callback_);
  return *this;
}

void CallbackGauge::reset() noexcept {
  if (callback_ == nullptr) return;
  std::function<double()> last;
  {
    const std::scoped_lock lock(callback_->mutex);
    last.swap(callback_->read);
  }
  callback_.reset();
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  Family& family = impl_->family(name, help, Kind::counter, labels);
  return impl_->series<CounterSeries>(family, name, std::move(labels)).metric;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  Family& family = impl_->family(name, help, Kind::gauge, labels);
  return impl_->series<GaugeSeries>(family, name, std::move(labels)).metric;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels,
                              std::span<const double> upper_bounds) {
  check_bounds(name, upper_bounds);
  const std::scoped_lock lock(impl_->mutex);
  Family& family = impl_->family(name, help, Kind::histogram, labels);
  if (family.series.empty()) family.bounds.assign(upper_bounds.begin(), upper_bounds.end());
  return impl_->series<HistogramSeries>(family, name, std::move(labels)).metric;
}

CallbackGauge Metrics::gauge(std::string_view name, std::string_view help, Labels labels,
                             std::function<double()> read) {
  const auto callback = std::make_shared<GaugeCallback>();
  callback->read = std::move(read);
  const std::scoped_lock lock(impl_->mutex);
  Family& family = impl_->family(name, help, Kind::gauge, labels);
  impl_->series<CallbackSeries>(family, name, std::move(labels)).add(callback);
  return CallbackGauge(callback);
}

BoundedCounter& Metrics::counter(std::string_view name, std::string_view help, BoundedLabel& label,
                                 Labels labels) {
  const std::scoped_lock lock(impl_->mutex);
  const std::string& extra = label.options().name;
  Family& family = impl_->family(name, help, Kind::counter, labels, extra);
  return impl_->series<BoundedSeries>(family, name, std::move(labels), label).metric;
}

BoundedLabel& Metrics::bounded_label(std::string_view name, std::size_t top) {
  const std::scoped_lock lock(impl_->mutex);
  auto& label = impl_->bounded[std::string(name)];
  if (label == nullptr) {
    label =
        std::make_unique<BoundedLabel>(BoundedLabelOptions{.name = std::string(name), .top = top});
  }
  return *label;
}

void Metrics::visit(MetricVisitor& visitor) const {
  struct Item {
    MetricFamily family;
    std::vector<const Series*> series;
  };
  std::vector<Item> items;
  {
    // Families and series are never removed: the lock is not needed to read them.
    const std::scoped_lock lock(impl_->mutex);
    for (const auto& [name, family] : impl_->families) {
      Item& item = items.emplace_back(Item{{name, family.help, family.bounds}, {}});
      for (const auto& series : family.series) item.series.push_back(series.get());
    }
  }
  for (const Item& item : items) {
    for (const Series* series : item.series) series->visit(item.family, visitor);
  }
}

std::string Metrics::prometheus() const {
  detail::PrometheusText text;
  visit(text);
  return std::move(text).take();
}

}  // namespace aiserve::inline v0
