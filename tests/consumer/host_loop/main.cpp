// A host that has everything already: an event loop, a log, a metrics registry and signal handlers
// of its own. aiserve joins its loop, logs into its sink, shows its numbers to the registry and
// touches no signal. Two Runtimes live side by side, one of them on the host's loop, and come and
// go a hundred times.
#include <aiserve/core/runtime.hpp>
#include <aiserve/core/telemetry.hpp>
#include <aiserve/serving/batcher.hpp>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <boost/asio.hpp>

namespace asio = boost::asio;

namespace {

constexpr int kRounds = 100;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  std::exit(1);
}

/// The line of /proc/self/status that says which signals have handlers.
std::string caught_signals() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:")) return line;
  }
  return {};
}

/// Stands for the host's registry: copies what it is shown.
class Registry final : public aiserve::MetricVisitor {
 public:
  void counter(const aiserve::MetricFamily& family, const aiserve::Labels&,
               std::uint64_t value) override {
    if (family.name.starts_with("aiserve_")) counted += value;
  }
  void gauge(const aiserve::MetricFamily&, const aiserve::Labels&, double) override { ++gauges; }
  void histogram(const aiserve::MetricFamily&, const aiserve::Labels&,
                 const aiserve::HistogramSnapshot&) override {
    ++histograms;
  }

  std::uint64_t counted = 0;
  int gauges = 0;
  int histograms = 0;
};

aiserve::CallableModelOptions negator_options() {
  aiserve::CallableModelOptions options;
  options.name = "negate";
  options.signature = {{aiserve::TensorSpec("x", aiserve::DType::f32, {-1, 2})},
                       {aiserve::TensorSpec("y", aiserve::DType::f32, {-1, 2})}};
  return options;
}

aiserve::Result<void> negate(aiserve::Batch& batch) {
  const auto in = batch.input<float>();
  const auto out = batch.output<float>();
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = -in[i];
  return aiserve::success();
}

bool is_negated(const aiserve::Result<aiserve::Tensor>& output) {
  return output.ok() && output->data<float>()[0] == -1.0F && output->data<float>()[1] == -2.0F;
}

void round_trip(asio::io_context& loop, aiserve::Telemetry& telemetry) {
  aiserve::Runtime on_host_loop(loop, {.telemetry = &telemetry});
  aiserve::Runtime with_own_threads({.telemetry = &telemetry});
  aiserve::CallableModel model(negator_options(), negate);
  aiserve::Batcher here(on_host_loop, model);
  aiserve::Batcher there(with_own_threads, model);
  on_host_loop.start();
  with_own_threads.start();

  const auto input = aiserve::Tensor::from<float>({2}, {1.0F, 2.0F}).value();
  const auto& ctx = aiserve::Context::background();

  // On the host's own loop, in the host's own coroutine.
  const auto ask = [&]() -> asio::awaitable<bool> {
    const auto output = co_await here.infer(ctx, input);
    co_return is_negated(output);
  };
  require(asio::co_spawn(loop, ask, asio::use_future).get(),
          "the Runtime on the host's loop infers");
  require(is_negated(aiserve::block_on(with_own_threads, there.infer(ctx, input))),
          "the Runtime with threads of its own infers");

  with_own_threads.shutdown();
  on_host_loop.shutdown();
}

}  // namespace

int main() {
  std::atomic<int> lines = 0;
  aiserve::TelemetryOptions options;
  options.service = "host";
  options.log_sink = [&](aiserve::LogLevel, std::string_view) { ++lines; };
  aiserve::Telemetry telemetry(options);

  asio::io_context loop;
  auto work = asio::make_work_guard(loop);
  std::jthread loop_thread([&] { loop.run(); });

  // From here on: the C library has handlers of its own once there is a second thread.
  const std::string signals_before = caught_signals();
  require(!signals_before.empty(), "/proc/self/status has a line SigCgt");

  for (int i = 0; i < kRounds; ++i) {
    round_trip(loop, telemetry);
    require(caught_signals() == signals_before, "no signal handler was installed");
  }
  work.reset();
  loop_thread.join();

  telemetry.log().info("the host is done");
  require(lines > 0, "log lines reach the host's sink");
  Registry registry;
  telemetry.metrics().visit(registry);
  require(registry.counted > 0, "counters reach the host's registry");
  require(registry.gauges > 0 && registry.histograms > 0, "gauges and histograms as well");
  std::printf("%d rounds of two Runtimes, %d log lines, %d gauges, %d histograms\n", kRounds,
              lines.load(), registry.gauges, registry.histograms);
}
