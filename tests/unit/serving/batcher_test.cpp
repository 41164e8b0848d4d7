#include "aiserve/serving/batcher.hpp"

#include <doctest/doctest.h>

#include "unit/serving/sim_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::Doubler;
using Bench = aiserve::testing::SimBench;

namespace {

float value_of(const Result<Inference>& outcome) { return Bench::value_of(outcome); }

}  // namespace

TEST_CASE("requests that arrive together ride together and each gets its own row") {
  Bench bench;
  bench.sim.start();
  for (int i = 0; i < 10; ++i) bench.ask(Context::background(), static_cast<float>(i));
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(value_of(bench.outcomes[i]) == 2 * static_cast<float>(i));
    CHECK(bench.outcomes[i]->ride().size == 10);
    CHECK(bench.outcomes[i]->ride().position == i);
    CHECK(bench.outcomes[i]->ride().reason == DispatchReason::idle);
  }
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{10});
}

TEST_CASE("a batch never has more rows than max_batch, and a full one says so") {
  Bench bench({.max_batch = 4});
  bench.sim.start();
  for (int i = 0; i < 10; ++i) bench.ask(Context::background(), 1);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.batch_sizes == std::vector<std::size_t>{4, 4, 2});
  CHECK(bench.outcomes[0]->ride().reason == DispatchReason::full);
  CHECK(bench.outcomes[9]->ride().reason == DispatchReason::idle);
}

TEST_CASE("a full queue refuses as overloaded with a time to come back") {
  Bench bench({.max_queue = 3});
  bench.sim.start();
  for (int i = 0; i < 5; ++i) bench.ask(Context::background(), 1);
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 5);
  int refused = 0;
  for (const Result<Inference>& outcome : bench.outcomes) {
    if (outcome.ok()) continue;
    ++refused;
    CHECK(outcome.error().code() == Errc::overloaded);
    CHECK(outcome.error().retry_after().has_value());
  }
  CHECK(refused == 2);
}

TEST_CASE("a failed row fails alone, the others get their results") {
  Bench bench;
  bench.sim.start();
  for (const float value : {1.F, Doubler::kFail, 3.F}) bench.ask(Context::background(), value);
  bench.sim.run_until_idle();
  CHECK(value_of(bench.outcomes[0]) == 2);
  CHECK(bench.outcomes[1].error().code() == Errc::data_loss);
  CHECK(value_of(bench.outcomes[2]) == 6);
}

TEST_CASE("a model that throws fails the rows of its batch and the next batch runs") {
  Bench bench;
  bench.sim.start();
  bench.ask(Context::background(), Doubler::kThrow);
  bench.sim.run_until_idle();
  bench.ask(Context::background(), 4);
  bench.sim.run_until_idle();
  CHECK(bench.outcomes[0].error().code() == Errc::internal);
  CHECK(bench.outcomes[0].error().detail() == "poison");
  CHECK(value_of(bench.outcomes[1]) == 8);
}

TEST_CASE("a wrong tensor is refused before any model sees it") {
  Bench bench;
  bench.sim.start();
  const auto infer = [&](const Context& ctx) -> Async<void> {
    const Tensor wrong = Tensor::from<double>({1}, {1}).value();
    const Result<Tensor> outcome = co_await bench.batcher.infer(ctx, wrong);
    CHECK(outcome.error().code() == Errc::invalid_argument);
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), infer);
  bench.sim.run_until_idle();
  CHECK(bench.doubler.computed == 0);
}

TEST_CASE("expired and cancelled requests are refused at the door") {
  Bench bench;
  bench.sim.start();
  const Context late{ContextOptions{.deadline = Deadline(bench.sim.clock().now())}};
  const Context gone{ContextOptions{}};
  gone.cancel(CancelReason::client_gone);
  bench.ask(late, 1);
  bench.ask(gone, 1);
  bench.sim.run_until_idle();
  CHECK(bench.outcomes[0].error().code() == Errc::deadline_exceeded);
  CHECK(bench.outcomes[1].error().code() == Errc::cancelled);
  CHECK(bench.doubler.computed == 0);
}

TEST_CASE("draining refuses new requests as unavailable") {
  Bench bench;
  bench.sim.start();
  bench.sim.shutdown();
  CHECK(bench.batcher.snapshot().in_flight == 0);
  std::optional<Result<Inference>> outcome;
  bench.batcher.submit(Context::background(), Doubler::input(1),
                       [&](Result<Inference> result) { outcome = std::move(result); });
  REQUIRE(outcome.has_value());
  CHECK(outcome->error().code() == Errc::unavailable);
}

TEST_CASE("submit answers through its callback, errors too, and never inside the call") {
  Bench bench;
  bench.sim.start();
  std::vector<Result<Inference>> answers;
  const auto keep = [&](Result<Inference> result) { answers.push_back(std::move(result)); };
  bench.batcher.submit(Context::background(), Doubler::input(5), keep);
  bench.batcher.submit(Context::background(), Tensor::from<double>({1}, {1}).value(), keep);
  bench.batcher.submit(Context::background(), Doubler::input(6),
                       [](const Result<Inference>&) { throw std::runtime_error("host bug"); });
  CHECK(answers.empty());
  bench.sim.run_until_idle();
  REQUIRE(answers.size() == 2);
  const bool refused_first = !answers[0].ok();
  CHECK(value_of(answers[refused_first ? 1 : 0]) == 10);
  CHECK(answers[refused_first ? 0 : 1].error().code() == Errc::invalid_argument);
}

TEST_CASE("models with several inputs and outputs are asked by name") {
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  CallableModel model(
      {.name = "sum",
       .signature = {{TensorSpec("a", DType::f32, {-1, 1}), TensorSpec("b", DType::i64, {-1, 2})},
                     {TensorSpec("sum", DType::f32, {-1, 1}),
                      TensorSpec("rows", DType::i64, {-1})}}},
      [](Batch& batch) {
        for (std::size_t row = 0; row < batch.size(); ++row) {
          const auto b = batch.input<std::int64_t>(1);
          batch.output<float>(0)[row] =
              batch.input<float>(0)[row] + static_cast<float>(b[2 * row] + b[2 * row + 1]);
          batch.output<std::int64_t>(1)[row] = static_cast<std::int64_t>(batch.size());
        }
        return success();
      });
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  Batcher batcher(sim.runtime(), model);
  sim.start();
  std::vector<float> sums;
  const auto infer = [&](const Context& ctx, const float& x) -> Async<void> {
    TensorSet inputs;
    inputs.add("b", Tensor::from<std::int64_t>({2}, {10, 20}).value());
    inputs.add("a", Doubler::input(x));
    const Result<TensorSet> outputs = co_await batcher.infer(ctx, inputs);
    sums.push_back(outputs.value().find("sum")->data<float>()[0]);
    CHECK(outputs->find("rows")->data<std::int64_t>()[0] == 2);
    const Tensor alone = Doubler::input(1);
    const Result<Tensor> single = co_await batcher.infer(ctx, alone);
    CHECK(single.error().code() == Errc::invalid_argument);
    co_return success();
  };
  spawn(sim.runtime(), Context::background(), infer, 1.F);
  spawn(sim.runtime(), Context::background(), infer, 2.F);
  sim.run_until_idle();
  CHECK(sums == std::vector<float>{31, 32});
}

TEST_CASE("options out of range are refused with the batcher's name") {
  testing::SimRuntime sim;
  Doubler doubler;
  CHECK_THROWS_AS(Batcher(sim.runtime(), doubler.model, {.max_batch = 0}), ConfigError);
  CHECK_THROWS_AS(Batcher(sim.runtime(), doubler.model, {.max_queue = 0}), ConfigError);
  CHECK_THROWS_AS(Batcher(sim.runtime(), doubler.model, {.instances = 257}), ConfigError);
  CHECK_THROWS_AS(Batcher(sim.runtime(), doubler.model, {.instances = -1}), ConfigError);
}

TEST_CASE("a batcher that goes before the start leaves a runtime that starts without it") {
  testing::SimRuntime sim;
  Doubler doubler;
  { const Batcher gone(sim.runtime(), doubler.model); }
  Batcher stays(sim.runtime(), doubler.model);
  sim.start();
  std::optional<Result<Inference>> outcome;
  stays.submit(Context::background(), Doubler::input(3),
               [&](Result<Inference> result) { outcome = std::move(result); });
  sim.run_until_idle();
  REQUIRE(outcome.has_value());
  CHECK(value_of(*outcome) == 6);
}
