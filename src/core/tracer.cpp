#include "aiserve/core/tracer.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "aiserve/core/error.hpp"
#include "core/random.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kBatch = 512;

std::string_view cut(std::string_view text) noexcept { return text.substr(0, Span::kMaxText); }

}  // namespace

struct Tracer::Impl {
  explicit Impl(TracerOptions given)
      : options(std::move(given)),
        clock(options.clock != nullptr ? *options.clock : Clock::steady()) {}

  std::vector<SpanRecord> take() {
    const std::scoped_lock lock(mutex);
    std::vector<SpanRecord> all;
    all.swap(waiting);
    return all;
  }

  void hand_over(std::span<const SpanRecord> records) noexcept {
    for (std::size_t i = 0; i < records.size(); i += kBatch) {
      const auto batch = records.subspan(i, std::min(kBatch, records.size() - i));
      try {
        options.exporter(batch);
      } catch (...) {
        dropped.fetch_add(batch.size(), std::memory_order_relaxed);
      }
    }
  }

  const TracerOptions options;
  Clock& clock;
  std::mutex mutex;
  std::vector<SpanRecord> waiting;
  std::mutex exporting;
  std::atomic<std::uint64_t> dropped{0};
};

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  end();
  tracer_ = other.tracer_;
  context_ = other.context_;
  begin_ = other.begin_;
  record_ = std::move(other.record_);
  return *this;
}

void Span::put(std::string_view key, SpanAttribute::Value value) noexcept {
  if (record_->attributes.size() >= kMaxAttributes) return;
  try {
    record_->attributes.push_back({std::string(cut(key)), std::move(value)});
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): a span less detailed
  }
}

void Span::set(std::string_view key, std::string_view value) noexcept {
  if (!recording()) return;
  try {
    put(key, std::string(cut(value)));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
  }
}

void Span::link(const TraceParent& other) noexcept {
  if (!recording() || record_->links.size() >= kMaxAttributes) return;
  try {
    record_->links.push_back(other);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
  }
}

void Span::fail(std::string_view error) noexcept {
  if (!recording()) return;
  try {
    record_->error = error.empty() ? "error" : cut(error);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
  }
}

void Span::end() noexcept {
  if (recording()) tracer_->submit(std::move(record_), begin_);
}

Tracer::Tracer(TracerOptions options) : enabled_(static_cast<bool>(options.exporter)) {
  if (options.queue == 0) throw ConfigError("tracer queue must be at least 1");
  if (!(options.sample_ratio >= 0 && options.sample_ratio <= 1)) {
    throw ConfigError("tracer sample_ratio must be between 0 and 1");
  }
  impl_ = std::make_unique<Impl>(std::move(options));
}

Tracer::~Tracer() { flush(); }

TraceParent Tracer::begin(const std::optional<TraceParent>& incoming) noexcept {
  if (incoming && incoming->valid()) return *incoming;
  constexpr double kScale = 0x1p-53;
  const double drawn = static_cast<double>(detail::random_u64() >> 11) * kScale;
  return TraceParent::generate(enabled_ && drawn < impl_->options.sample_ratio);
}

Span Tracer::start(std::string_view name, const TraceParent& parent) noexcept {
  if (!enabled_ || !parent.sampled() || !parent.valid()) return {this, parent};
  return record(name, parent.child(), parent.span_id());
}

Span Tracer::start_root(std::string_view name, const TraceParent& trace) noexcept {
  if (!enabled_ || !trace.sampled() || !trace.valid()) return {this, trace};
  return record(name, trace, {});
}

Span Tracer::record(std::string_view name, const TraceParent& context,
                    TraceParent::SpanId parent) noexcept {
  Span span(this, context);
  try {
    span.record_ = std::make_unique<SpanRecord>();
    span.record_->name = cut(name);
    span.record_->context = context;
    span.record_->parent = parent;
    span.record_->start = impl_->clock.wall_now();
    span.begin_ = impl_->clock.now();
  } catch (const std::bad_alloc&) {
    span.record_.reset();
  }
  return span;
}

void Tracer::submit(std::unique_ptr<SpanRecord> record, TimePoint begin) noexcept {
  record->duration = impl_->clock.now() - begin;
  const std::scoped_lock lock(impl_->mutex);
  try {
    if (impl_->waiting.size() < impl_->options.queue) {
      impl_->waiting.push_back(std::move(*record));
      return;
    }
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): counted below
  }
  impl_->dropped.fetch_add(1, std::memory_order_relaxed);
}

void Tracer::flush() noexcept {
  if (!enabled_) return;
  const std::unique_lock one(impl_->exporting, std::try_to_lock);
  if (one.owns_lock()) impl_->hand_over(impl_->take());
}

std::uint64_t Tracer::dropped() const noexcept {
  return impl_->dropped.load(std::memory_order_relaxed);
}

}  // namespace aiserve::inline v0
