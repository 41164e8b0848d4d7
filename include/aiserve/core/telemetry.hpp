/// Telemetry: the Logger, Metrics and Tracer of a process, given to Runtime and found there by
/// every component. Not a singleton; outlives what it is given to.
///
/// Somebody calls flush() about once a second: a Runtime does, a host without one may.
/// *Thread safety:* any thread.
/// *Errors:* the constructor throws ConfigError when an option is out of its range.
///
///     Telemetry telemetry({.service = "classifier"});
///     Runtime runtime({.telemetry = &telemetry});
///     telemetry.log().info("starting", {{"port", 8080}});
#pragma once

#include <aiserve/core/bounded_label.hpp>
#include <aiserve/core/log.hpp>
#include <aiserve/core/metrics.hpp>
#include <aiserve/core/tracer.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

struct TelemetryOptions {
  /// Names this process in log lines and in aiserve_build_info. Default: nameless.
  std::string service{};
  LogLevel log_level = LogLevel::info;
  /// Default: JSON lines to stderr.
  LogSink log_sink{};
  LogRepeats log_repeats{};
  /// Gets ended spans. Default: none, tracing is off.
  SpanExporter span_exporter{};
  /// Spans that wait for the exporter, at least 1; beyond it they are dropped and counted.
  std::size_t span_queue = 2048;
  /// The share of traces begun here that is sampled, 0 to 1.
  double trace_sample_ratio = 1;
  /// Tenants with metrics of their own, 1 to 10,000; the rest counts as "other".
  std::size_t top_tenants = 100;
  /// Default: Clock::steady().
  Clock* clock = nullptr;
};

class Telemetry {
 public:
  Telemetry() : Telemetry(TelemetryOptions{}) {}
  explicit Telemetry(TelemetryOptions options);
  /// Flushes.
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  const std::string& service() const noexcept;
  Logger& log() noexcept;
  Metrics& metrics() noexcept;
  Tracer& tracer() noexcept;
  /// The "tenant" label of all metrics per tenant.
  BoundedLabel& tenants() noexcept;

  /// Hands over what waits: suppressed log lines and spans.
  void flush() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
