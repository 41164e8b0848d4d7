#include "aiserve/core/telemetry.hpp"

#include <utility>

#include "aiserve/core/version.hpp"

namespace aiserve::inline v0 {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

}  // namespace

struct Telemetry::Impl {
  explicit Impl(TelemetryOptions given)
      : service(std::move(given.service)),
        log({.service = service,
             .level = given.log_level,
             .sink = std::move(given.log_sink),
             .repeats = given.log_repeats,
             .clock = given.clock}),
        tracer({.exporter = std::move(given.span_exporter),
                .queue = given.span_queue,
                .sample_ratio = given.trace_sample_ratio,
                .clock = given.clock}),
        tenants(metrics.bounded_label("tenant", given.top_tenants)),
        dropped(metrics.gauge("aiserve_spans_dropped", "Spans lost to a full queue or exporter.",
                              {}, [this] { return static_cast<double>(tracer.dropped()); })) {
    metrics
        .gauge("aiserve_build_info", "Always 1; the labels say what runs.",
               {{"version", std::string(version())},
                {"commit", std::string(commit())},
                {"compiler", kCompiler},
                {"service", service}})
        .set(1);
  }

  const std::string service;
  Logger log;
  Metrics metrics;
  Tracer tracer;
  BoundedLabel& tenants;
  CallbackGauge dropped;
};

Telemetry::Telemetry(TelemetryOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
Telemetry::~Telemetry() = default;

const std::string& Telemetry::service() const noexcept { return impl_->service; }
Logger& Telemetry::log() noexcept { return impl_->log; }
Metrics& Telemetry::metrics() noexcept { return impl_->metrics; }
Tracer& Telemetry::tracer() noexcept { return impl_->tracer; }
BoundedLabel& Telemetry::tenants() noexcept { return impl_->tenants; }

void Telemetry::flush() noexcept {
  impl_->log.flush();
  impl_->tracer.flush();
}

}  // namespace aiserve::inline v0
