// What a Batcher does beyond gathering rows: fairness, groups, poisoned rows, announcements, knobs,
// replacing the model, and the watch over calls that hang.
#include <algorithm>

#include <doctest/doctest.h>

#include "unit/serving/sim_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::Doubler;
using aiserve::testing::of_tenant;
using aiserve::testing::SimBench;

namespace {

std::uint64_t counter(SimBench& bench, const std::string& line_begin) {
  const std::string text = bench.telemetry.metrics().prometheus();
  const std::size_t at = text.find(line_begin);
  if (at == std::string::npos) return 0;
  return std::stoull(text.substr(text.find(' ', at) + 1));
}

}  // namespace

TEST_CASE("a poisoned row fails alone and the others get what they would have got") {
  SimBench bench;
  bench.sim.start();
  for (int i = 0; i < 16; ++i) bench.ask(i == 11 ? Doubler::kThrow : static_cast<float>(i));
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 11) {
      CHECK(bench.outcomes[i].error().code() == Errc::internal);
      continue;
    }
    CHECK(SimBench::value_of(bench.outcomes[i]) == 2 * static_cast<float>(i));
    CHECK(bench.outcomes[i]->ride().reruns == 8);
  }
  CHECK(bench.batcher.snapshot().reruns == 8);
}

TEST_CASE("without isolation a batch that throws fails as a whole and runs once") {
  SimBench bench({.isolate_failures = false});
  bench.sim.start();
  for (const float value : {1.F, Doubler::kThrow, 3.F}) bench.ask(value);
  bench.sim.run_until_idle();
  for (const auto& outcome : bench.outcomes) CHECK(outcome.error().code() == Errc::internal);
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{3});
}

TEST_CASE("re-runs are bounded") {
  SimBench bench({.max_reruns = 4});
  bench.sim.start();
  for (int i = 0; i < 64; ++i) bench.ask(Doubler::kThrow);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.batch_sizes.size() == 5);
  for (const auto& outcome : bench.outcomes) CHECK_FALSE(outcome.ok());
}

TEST_CASE("tenants share a batch by their weights") {
  SimBench bench({.max_batch = 8});
  bench.sim.start();
  const Context light = of_tenant("light", 1), heavy = of_tenant("heavy", 3);
  for (int i = 0; i < 20; ++i) bench.ask(light, 1);
  for (int i = 0; i < 20; ++i) bench.ask(heavy, 10);
  std::vector<float> first;
  bench.doubler.gate = [&](Batch& batch) {
    if (first.empty()) first.assign(batch.input<float>().begin(), batch.input<float>().end());
  };
  bench.sim.run_until_idle();
  REQUIRE(first.size() == 8);
  CHECK(std::count(first.begin(), first.end(), 10.F) == 6);
  const std::string prefix = "aiserve_batcher_tenant_rows_total{batcher=\"doubler\",tenant=";
  CHECK(counter(bench, prefix + "\"heavy\"}") == 20);
  CHECK(counter(bench, prefix + "\"light\"}") == 20);
}

TEST_CASE("a tenant that floods a full queue gives way to one that does not") {
  SimBench bench({.max_queue = 4});
  bench.sim.start();
  const Context flood = of_tenant("flood"), quiet = of_tenant("quiet");
  for (int i = 0; i < 6; ++i) bench.ask(flood, 1);
  bench.ask(quiet, 5);
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 7);
  int refused = 0;
  bool quiet_answered = false;
  for (const auto& outcome : bench.outcomes) {
    if (outcome.ok()) {
      quiet_answered |= SimBench::value_of(outcome) == 10;
    } else {
      ++refused;
      CHECK(outcome.error().code() == Errc::overloaded);
      CHECK(outcome.error().retry_after().has_value());
    }
  }
  CHECK(quiet_answered);
  CHECK(refused == 3);
}

TEST_CASE("many at once keep their order, together or not, more than one batch holds") {
  SimBench bench({.max_batch = 4});
  bench.sim.start();
  const auto many = [&](const Context& ctx, const Grouping& grouping) -> Async<void> {
    std::vector<Tensor> inputs;
    for (int i = 0; i < 10; ++i) inputs.push_back(Doubler::input(static_cast<float>(i)));
    inputs[5] = Doubler::input(Doubler::kFail);
    auto outputs = co_await bench.batcher.infer_many(ctx, inputs, grouping);
    REQUIRE(outputs.value().size() == 10);
    for (std::size_t i = 0; i < 10; ++i) {
      if (i == 5) {
        CHECK((*outputs)[i].error().code() == Errc::data_loss);
      } else {
        CHECK((*outputs)[i].value().data<float>()[0] == 2 * static_cast<float>(i));
      }
    }
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), many, Grouping::split);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{4, 4, 2});
  bench.doubler.batch_sizes.clear();
  bench.ask(1);  // it would fit beside two of the last part, but not into a full one
  spawn(bench.sim.runtime(), Context::background(), many, Grouping::together);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{1, 4, 4, 2});
  CHECK(bench.batcher.snapshot().in_flight == 0);
}

TEST_CASE("many at once that one wrong tensor spoils are refused before any is queued") {
  SimBench bench;
  bench.sim.start();
  const auto many = [&](const Context& ctx) -> Async<void> {
    std::vector<Tensor> inputs{Doubler::input(1), Tensor::from<double>({1}, {1}).value()};
    auto outputs = co_await bench.batcher.infer_many(ctx, inputs, Grouping::split);
    CHECK(outputs.error().code() == Errc::invalid_argument);
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), many);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.computed == 0);
}

TEST_CASE("a group whose caller has gone leaves nothing behind") {
  SimBench bench({.max_batch = 4});
  const Context ctx{ContextOptions{}};
  const auto many = [&](const Context& own) -> Async<void> {
    const std::vector<Tensor> inputs(3, Doubler::input(1));
    auto outputs = co_await bench.batcher.infer_many(own, inputs, Grouping::together);
    for (const auto& output : outputs.value()) CHECK(output.error().code() == Errc::cancelled);
    co_return success();
  };
  bench.sim.start();
  spawn(bench.sim.runtime(), ctx, many);
  const auto cancel = [&](const Context&) -> Async<void> {
    ctx.cancel(CancelReason::user);
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), cancel);
  bench.sim.run_until_idle();
  CHECK(bench.batcher.snapshot().queued == 0);
  CHECK(bench.batcher.snapshot().in_flight == 0);
}

TEST_CASE("knobs change what runs next, and bad ones change nothing") {
  SimBench bench({.max_batch = 8, .instances = 2});
  bench.sim.start();
  CHECK(bench.batcher.set({.max_batch = 2, .active_instances = 1}).ok());
  CHECK(bench.batcher.snapshot().max_batch == 2);
  CHECK(bench.batcher.snapshot().active_instances == 1);
  for (int i = 0; i < 4; ++i) bench.ask(1);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{2, 2});
  for (const BatcherKnobs& bad :
       {BatcherKnobs{.max_batch = 9}, BatcherKnobs{.max_batch = 0},
        BatcherKnobs{.active_instances = 3}, BatcherKnobs{.latency_goal = 1us},
        BatcherKnobs{.max_hold = 2ms}, BatcherKnobs{.max_cost = -1}, BatcherKnobs{.ageing = -1ms},
        BatcherKnobs{.max_reruns = 1001}, BatcherKnobs{.slots_weight = 0}}) {
    CHECK(bench.batcher.set(bad).error().code() == Errc::invalid_argument);
  }
  CHECK(bench.batcher.snapshot().max_batch == 2);
}

TEST_CASE("what is done about failures and NaN changes with the next batch") {
  SimBench bench;
  bench.sim.start();
  const auto outcomes_of = [&](float poison) {
    bench.outcomes.clear();
    for (const float value : {1.F, poison, 3.F}) bench.ask(value);
    bench.sim.run_until_idle();
    std::vector<bool> ok;
    for (const auto& outcome : bench.outcomes) ok.push_back(outcome.ok());
    return ok;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(outcomes_of(Doubler::kThrow) == std::vector{true, false, true});
  CHECK(outcomes_of(nan) == std::vector{true, true, true});
  CHECK(bench.batcher.set({.nan_outputs = NanPolicy::reject, .isolate_failures = false}).ok());
  CHECK(outcomes_of(Doubler::kThrow) == std::vector{false, false, false});
  CHECK(outcomes_of(nan) == std::vector{true, false, true});
  CHECK(bench.batcher.set({.isolate_failures = true, .max_reruns = 2}).ok());
  bench.doubler.batch_sizes.clear();
  const std::vector<bool> halves = outcomes_of(Doubler::kThrow);
  CHECK(std::count(halves.begin(), halves.end(), true) == 1);
  CHECK(bench.doubler.batch_sizes.size() == 3);
}

TEST_CASE("ageing can be switched on for what waits already") {
  SimBench bench({.max_batch = 1, .ageing = 0s});
  bench.sim.start();
  const Context background = of_tenant("t", 1, Priority::background);
  std::vector<float> order;
  bench.doubler.gate = [&](Batch& batch) {
    order.push_back(batch.input<float>()[0]);
    bench.sim.clock().advance(10ms);
    if (order.size() == 2) CHECK(bench.batcher.set({.ageing = 15ms}).ok());
  };
  bench.ask(background, 100);
  for (int i = 0; i < 6; ++i) bench.ask(of_tenant("t"), static_cast<float>(i));
  bench.sim.run_until_idle();
  REQUIRE(order.size() == 7);
  CHECK(order.front() != 100);
  CHECK(order.back() != 100);
}

TEST_CASE("a model is replaced without a failed request, and the old one is let go") {
  SimBench bench({.max_batch = 4}, 2);
  bench.sim.start();
  bench.ask(1);
  bench.sim.run_until_idle();
  auto next = std::make_unique<Doubler>(2);
  next->factor = 3;
  std::optional<Result<void>> replaced;
  const auto replace = [&](const Context& ctx) -> Async<void> {
    replaced = co_await bench.batcher.replace(ctx, next->model);
    co_return success();
  };
  for (int i = 0; i < 20; ++i) bench.ask(1);
  spawn(bench.sim.runtime(), Context::background(), replace);
  for (int i = 0; i < 20; ++i) bench.ask(1);
  bench.sim.run_until_idle();
  REQUIRE(replaced.has_value());
  CHECK(replaced->ok());
  REQUIRE(bench.outcomes.size() == 41);
  for (const auto& outcome : bench.outcomes) CHECK(outcome.ok());
  bench.ask(1);
  bench.sim.run_until_idle();
  CHECK(SimBench::value_of(bench.outcomes.back()) == 3);
  CHECK(bench.batcher.snapshot().version == 2);
  bench.sim.shutdown();
}

TEST_CASE("a replacement with another signature, or a second one, is refused") {
  SimBench bench;
  bench.sim.start();
  CallableModel other({.name = "other",
                       .signature = {{TensorSpec("x", DType::f64, {-1, 1})},
                                     {TensorSpec("y", DType::f32, {-1, 1})}}},
                      [](Batch&) { return success(); });
  Doubler first, second;
  std::vector<Result<void>> results;
  const auto replace = [&](const Context& ctx, Model* const& next) -> Async<void> {
    results.push_back(co_await bench.batcher.replace(ctx, *next));
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), replace, static_cast<Model*>(&other));
  bench.sim.run_until_idle();
  CHECK(results.at(0).error().code() == Errc::invalid_argument);
  spawn(bench.sim.runtime(), Context::background(), replace, static_cast<Model*>(&first.model));
  spawn(bench.sim.runtime(), Context::background(), replace, static_cast<Model*>(&second.model));
  bench.sim.run_until_idle();
  REQUIRE(results.size() == 3);
  const bool first_lost = !results[1].ok();
  CHECK(results[first_lost ? 1 : 2].error().code() == Errc::conflict);
  CHECK(results[first_lost ? 2 : 1].ok());
}

TEST_CASE("a replacement that cannot be made leaves the old model serving") {
  struct Broken final : Model {
    const Signature& signature() const noexcept override { return doubler.model.signature(); }
    const std::string& name() const noexcept override { return doubler.model.name(); }
    Result<std::unique_ptr<ModelInstance>> create_instance(int) override {
      return Error(Errc::data_loss, "the file has changed");
    }
    Doubler doubler;
  };
  SimBench bench;
  bench.sim.start();
  Broken broken;
  std::optional<Result<void>> replaced;
  const auto replace = [&](const Context& ctx) -> Async<void> {
    replaced = co_await bench.batcher.replace(ctx, broken);
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), replace);
  bench.sim.run_until_idle();
  REQUIRE(replaced.has_value());
  CHECK(replaced->error().code() == Errc::data_loss);
  bench.ask(4);
  bench.sim.run_until_idle();
  CHECK(SimBench::value_of(bench.outcomes.back()) == 8);
  CHECK(bench.batcher.snapshot().version == 1);
  CHECK(bench.sim.runtime().readiness().ready);
}

TEST_CASE("a call past its hard limit is reported with its requests and readiness turns false") {
  SimBench bench({.hard_limit = 5s});
  bench.sim.start();
  Readiness during;
  bench.doubler.gate = [&](Batch&) {
    bench.sim.clock().advance(6s);
    during = bench.sim.runtime().readiness();
  };
  const Context ctx(ContextOptions{.request_id = "req-42"});
  bench.ask(ctx, 1);
  bench.sim.run_until_idle();
  CHECK_FALSE(during.ready);
  REQUIRE(during.reasons.size() == 1);
  CHECK(during.reasons[0].find("instance 0 runs a batch of 1 rows for 6000 ms") !=
        std::string::npos);
  CHECK(bench.sim.runtime().readiness().ready);
}

TEST_CASE("an announced arrival is waited for by an instance that knows its model") {
  SimBench bench({.max_batch = 8});
  bench.sim.start();
  bench.doubler.gate = [&](Batch&) { bench.sim.clock().advance(1ms); };
  bench.ask(1);  // teaches that a batch takes a millisecond
  bench.sim.run_until_idle();
  std::vector<std::size_t>& sizes = bench.doubler.batch_sizes;
  sizes.clear();

  Announcement soon = bench.batcher.announce();
  CHECK(bench.batcher.snapshot().announced == 1);
  bench.ask(1);
  bench.sim.run_until_idle();
  CHECK(sizes.empty());  // a tenth of a millisecond of patience
  bench.ask(2);
  soon.retract();
  bench.sim.run_until_idle();
  CHECK(sizes == std::vector<std::size_t>{2});

  sizes.clear();
  soon = bench.batcher.announce();
  bench.ask(1);
  bench.sim.run_until_idle();
  CHECK(sizes.empty());
  bench.sim.advance(100us);  // it does not come
  CHECK(sizes == std::vector<std::size_t>{1});
  CHECK(bench.outcomes.back()->ride().reason == DispatchReason::wait);
}

TEST_CASE("what could not be answered before its deadline is refused or shed, never run") {
  SimBench bench({.max_batch = 1});
  bench.sim.start();
  bench.doubler.gate = [&](Batch&) { bench.sim.clock().advance(10ms); };
  bench.ask(1);  // teaches 10 ms per row
  bench.sim.run_until_idle();
  const Deadline soon = Deadline::after(bench.sim.clock().now(), 35ms);
  const Context ctx(ContextOptions{.deadline = soon});
  for (int i = 0; i < 8; ++i) bench.ask(ctx, 1);
  bench.sim.run_until_idle();
  int computed = 0;
  for (std::size_t i = 1; i < bench.outcomes.size(); ++i) {
    if (bench.outcomes[i].ok()) {
      ++computed;
      continue;
    }
    const Errc code = bench.outcomes[i].error().code();
    CHECK((code == Errc::overloaded || code == Errc::deadline_exceeded));
  }
  CHECK(computed >= 1);
  CHECK(computed <= 3);
  CHECK(bench.doubler.computed == computed + 1);
}

TEST_CASE("what a request that came now would wait is told, alone as in the snapshot") {
  SimBench bench({.max_batch = 1});
  bench.sim.start();
  std::vector<Duration> waits;
  bench.doubler.gate = [&](Batch&) {
    waits.push_back(bench.batcher.predicted_wait());
    CHECK(waits.back() == bench.batcher.snapshot().predicted_wait);
    bench.sim.clock().advance(10ms);
  };
  bench.ask(1);  // teaches 10 ms per row
  bench.sim.run_until_idle();
  CHECK(bench.batcher.predicted_wait() == Duration::zero());
  for (int i = 0; i < 4; ++i) bench.ask(1);
  bench.sim.run_until_idle();
  REQUIRE(waits.size() == 5);
  CHECK(waits[1] >= 30ms);  // behind three that wait and one that runs
  CHECK(waits[1] <= 50ms);
  CHECK(waits[4] < waits[1]);
}

TEST_CASE("plain threads get a future") {
  SimBench bench;
  bench.sim.start();
  std::future<Result<Inference>> answer =
      bench.batcher.submit(Context::background(), Doubler::input(21));
  bench.sim.run_until_idle();
  CHECK(SimBench::value_of(answer.get()) == 42);
}

TEST_CASE("a latency goal is shown with what the tuner makes of it") {
  SimBench bench({.latency_goal = 20ms});
  bench.sim.start();
  const BatcherSnapshot now = bench.batcher.snapshot();
  CHECK(now.latency_goal == 20ms);
  CHECK(now.tuning.find(':') != std::string::npos);
  CHECK(bench.batcher.set({.latency_goal = 0ms}).ok());
  CHECK(bench.batcher.snapshot().tuning.empty());
}

TEST_CASE("a batch of sampled requests has a span that is linked to each of them") {
  std::vector<SpanRecord> spans;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {},
                       .span_exporter =
                           [&](std::span<const SpanRecord> ended) {
                             spans.insert(spans.end(), ended.begin(), ended.end());
                           }});
  Doubler doubler;
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  Batcher batcher(sim.runtime(), doubler.model);
  sim.start();
  for (int i = 0; i < 3; ++i) {
    const Context ctx(ContextOptions{.trace = TraceParent::generate(true)});
    batcher.submit(ctx, Doubler::input(1), [](const Result<Inference>&) {});
  }
  sim.run_until_idle();
  telemetry.flush();
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].name == "batch");
  CHECK(spans[0].links.size() == 3);
}

TEST_CASE("what a batcher has learned is in its metrics, and goes with it") {
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Doubler doubler;
  {
    testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
    Batcher batcher(sim.runtime(), doubler.model, {.max_batch = 7});
    sim.start();
    const std::string text = telemetry.metrics().prometheus();
    CHECK(text.find("aiserve_batcher_max_batch_rows{batcher=\"doubler\"} 7") != std::string::npos);
    CHECK(text.find("aiserve_batcher_hung_instances{batcher=\"doubler\"} 0") != std::string::npos);
  }
  CHECK(telemetry.metrics().prometheus().find("aiserve_batcher_max_batch_rows{") ==
        std::string::npos);
}

TEST_CASE("rows of several shapes can travel together only if one batch takes them") {
  CallableModel model({.name = "open",
                       .signature = {{TensorSpec("x", DType::f32, {-1, -1})},
                                     {TensorSpec("y", DType::f32, {-1, 1})}}},
                      [](Batch& batch) {
                        for (float& y : batch.output<float>()) y = 1;
                        return success();
                      });
  testing::SimRuntime sim;
  Batcher exact(sim.runtime(), model, {.name = "exact"});
  Batcher padded(sim.runtime(), model,
                 {.name = "padded", .shapes = {.mode = ShapeMode::padded, .edges = {4}}});
  sim.start();
  const auto row = [](std::size_t size) {
    return Tensor::from<float>({static_cast<std::int64_t>(size)}, std::vector<float>(size, 1.F))
        .value();
  };
  std::vector<Errc> codes;
  const auto ask = [&](const Context& ctx, Batcher* const& batcher,
                       const std::vector<Tensor>& inputs) -> Async<void> {
    auto outputs = co_await batcher->infer_many(ctx, inputs, Grouping::together);
    for (const auto& output : outputs.value()) {
      if (!output.ok()) codes.push_back(output.error().code());
    }
    co_return success();
  };
  const std::vector<Tensor> mixed{row(2), row(3)}, too_long{row(2), row(5)};
  spawn(sim.runtime(), Context::background(), ask, &exact, mixed);
  sim.run_until_idle();
  CHECK(codes == std::vector<Errc>(2, Errc::invalid_argument));
  codes.clear();
  spawn(sim.runtime(), Context::background(), ask, &padded, mixed);
  sim.run_until_idle();
  CHECK(codes.empty());
  spawn(sim.runtime(), Context::background(), ask, &padded, too_long);
  sim.run_until_idle();
  CHECK(codes == std::vector<Errc>(2, Errc::invalid_argument));
}
