/// Tracer and Span: timed operations of sampled traces, handed to an exporter in batches.
///
/// Off without an exporter: then a Span holds nothing and costs a branch. Ended spans wait in a
/// bounded queue until flush() hands them over; when it is full the newest are dropped and counted.
/// The exporter runs on the thread that flushes, never on the one that ends a span.
/// *Thread safety:* Tracer any thread; a Span one thread at a time. Spans must not outlive their
/// Tracer.
///
///     Span span = tracer.start("batch", ctx.trace());
///     span.set("size", 32);
///     call.set_header("traceparent", span.context().text());
///     span.end();  // or its destructor
#pragma once

#include <aiserve/core/clock.hpp>
#include <aiserve/core/trace.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aiserve::inline v0 {

struct SpanAttribute {
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  std::string key;
  Value value;
};

/// An ended span, as the exporter sees it. `parent` is all zero for the first span of a trace.
struct SpanRecord {
  std::string name{};
  TraceParent context{};
  TraceParent::SpanId parent{};
  WallTime start{};
  Duration duration{};
  std::vector<SpanAttribute> attributes{};
  std::vector<TraceParent> links{};
  std::string error{};  ///< empty: it went well
};

using SpanExporter = std::function<void(std::span<const SpanRecord>)>;

struct TracerOptions {
  /// Gets up to 512 spans per call. Default: none, the tracer is off. What it throws is swallowed,
  /// the batch counts as dropped.
  SpanExporter exporter{};
  /// Spans that wait for flush(), at least 1.
  std::size_t queue = 2048;
  /// The share of traces begun here that is sampled, 0 to 1; traces from outside keep their flag.
  double sample_ratio = 1;
  /// Default: Clock::steady().
  Clock* clock = nullptr;
};

class Tracer;

class Span {
 public:
  static constexpr std::size_t kMaxAttributes = 32;  ///< later ones are left out, as are links
  static constexpr std::size_t kMaxText = 1024;      ///< bytes of a text; the rest is cut

  /// Records nothing.
  Span() noexcept = default;
  Span(Span&&) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  /// Ends it.
  ~Span() { end(); }

  bool recording() const noexcept { return record_ != nullptr; }
  /// What to pass on as parent: this span, or the caller's own parent if nothing is recorded.
  const TraceParent& context() const noexcept { return context_; }

  void set(std::string_view key, std::string_view value) noexcept;
  void set(std::string_view key, const char* value) noexcept { set(key, std::string_view(value)); }
  void set(std::string_view key, std::same_as<bool> auto value) noexcept {
    if (recording()) put(key, value);
  }
  void set(std::string_view key, std::floating_point auto value) noexcept {
    if (recording()) put(key, static_cast<double>(value));
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) void set(std::string_view key, T value) noexcept {
    if (recording()) put(key, static_cast<std::int64_t>(value));
  }
  /// Another span that caused this one: of a batch, each of its members.
  void link(const TraceParent& other) noexcept;
  void fail(std::string_view error) noexcept;
  /// Idempotent.
  void end() noexcept;

 private:
  friend class Tracer;
  Span(Tracer* tracer, const TraceParent& context) noexcept : tracer_(tracer), context_(context) {}
  void put(std::string_view key, SpanAttribute::Value value) noexcept;

  Tracer* tracer_ = nullptr;
  TraceParent context_;
  TimePoint begin_{};
  std::unique_ptr<SpanRecord> record_;
};

class Tracer {
 public:
  Tracer() : Tracer(TracerOptions{}) {}
  /// Throws ConfigError when an option is out of its range.
  explicit Tracer(TracerOptions options);
  /// Flushes.
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool enabled() const noexcept { return enabled_; }
  /// The parent a request starts from: the one in its header, else a new trace.
  TraceParent begin(const std::optional<TraceParent>& incoming = std::nullopt) noexcept;
  /// A span below `parent`; records if the tracer is on and the trace is sampled.
  Span start(std::string_view name, const TraceParent& parent) noexcept;
  /// The first span of a trace from begin() without a parent outside.
  Span start_root(std::string_view name, const TraceParent& trace) noexcept;

  /// Hands what waits to the exporter, on this thread; one caller at a time, others return at once.
  void flush() noexcept;
  /// Spans lost to a full queue or a failing exporter.
  std::uint64_t dropped() const noexcept;

 private:
  friend class Span;
  struct Impl;
  Span record(std::string_view name, const TraceParent& context,
              TraceParent::SpanId parent) noexcept;
  void submit(std::unique_ptr<SpanRecord> record, TimePoint begin) noexcept;

  bool enabled_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
