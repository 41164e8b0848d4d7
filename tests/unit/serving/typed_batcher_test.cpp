#include "aiserve/serving/typed_batcher.hpp"

#include <memory>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;

namespace {

std::vector<Result<int>> lengths_of(std::span<const std::string> texts) {
  std::vector<Result<int>> results;
  for (const std::string& text : texts) {
    if (text == "throw") throw std::runtime_error("poison");
    if (text.empty()) {
      results.emplace_back(Error(Errc::invalid_argument, "empty"));
    } else {
      results.emplace_back(static_cast<int>(text.size()));
    }
  }
  return results;
}

struct Bench {
  Bench() : batcher(sim.runtime(), {.name = "lengths"}, &lengths_of) { sim.start(); }

  void ask(const std::string& text) {
    const auto infer = [this](const Context& ctx, const std::string& own) -> Async<void> {
      outcomes.push_back(co_await batcher.infer(ctx, own));
      co_return success();
    };
    spawn(sim.runtime(), Context::background(), infer, text);
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  TypedBatcher<std::string, int> batcher;
  std::vector<Result<int>> outcomes;
};

}  // namespace

TEST_CASE("a callable over a span answers each caller with its own result or error") {
  Bench bench;
  for (const char* text : {"a", "", "ccc"}) bench.ask(text);
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 3);
  CHECK(bench.outcomes[0].value() == 1);
  CHECK(bench.outcomes[1].error().code() == Errc::invalid_argument);
  CHECK(bench.outcomes[2].value() == 3);
  CHECK(bench.batcher.snapshot().batches == 1);
}

TEST_CASE("an input that makes the callable throw fails alone, the others keep their inputs") {
  Bench bench;
  for (const char* text : {"a", "bb", "throw", "dddd", "eeeee"}) bench.ask(text);
  bench.sim.run_until_idle();
  REQUIRE(bench.outcomes.size() == 5);
  CHECK(bench.outcomes[2].error().code() == Errc::internal);
  CHECK(bench.outcomes[2].error().detail() == "poison");
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    CHECK(bench.outcomes[i].value() == static_cast<int>(i + 1));
  }
}

TEST_CASE("a callable that returns another number of results is an internal error") {
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  TypedBatcher<int, int> batcher(sim.runtime(), {}, [](std::span<const int>) {
    return std::vector<Result<int>>(3, Result<int>(1));
  });
  sim.start();
  std::future<Result<int>> answer = batcher.submit(Context::background(), 1);
  sim.run_until_idle();
  CHECK(answer.get().error().code() == Errc::internal);
}

TEST_CASE("values that can only be moved travel through a batch") {
  testing::SimRuntime sim;
  using Box = std::unique_ptr<int>;
  TypedBatcher<Box, Box> batcher(sim.runtime(), {}, [](std::span<const Box> boxes) {
    std::vector<Result<Box>> results;
    for (const Box& box : boxes) results.emplace_back(std::make_unique<int>(*box + 1));
    return results;
  });
  sim.start();
  std::future<Result<Box>> answer =
      batcher.submit(Context::background(), std::make_unique<int>(41));
  sim.run_until_idle();
  CHECK(*answer.get().value() == 42);
}

TEST_CASE("many typed inputs at once stand in their order") {
  Bench bench;
  std::vector<Result<int>> results;
  const auto many = [&](const Context& ctx) -> Async<void> {
    std::vector<std::string> texts{"a", "bb", "", "dddd"};
    auto lengths = co_await bench.batcher.infer_many(ctx, std::move(texts), Grouping::together);
    results = std::move(lengths).value();
    co_return success();
  };
  spawn(bench.sim.runtime(), Context::background(), many);
  bench.sim.run_until_idle();
  REQUIRE(results.size() == 4);
  CHECK(results[1].value() == 2);
  CHECK_FALSE(results[2].ok());
  CHECK(results[3].value() == 4);
}

TEST_CASE("a running callable sees who has gone") {
  testing::SimRuntime sim;
  const Context gone{ContextOptions{}};
  std::vector<bool> seen;
  TypedBatcher<int, int> batcher(sim.runtime(), {},
                                 [&](std::span<const int> numbers, const BatchToken& token) {
                                   gone.cancel(CancelReason::client_gone);
                                   std::vector<Result<int>> results;
                                   for (std::size_t row = 0; row < numbers.size(); ++row) {
                                     seen.push_back(token.cancelled(row));
                                     results.emplace_back(numbers[row]);
                                   }
                                   return results;
                                 });
  sim.start();
  std::vector<Result<int>> outcomes;
  const auto ask = [&](const Context& ctx, const int& number) -> Async<void> {
    outcomes.push_back(co_await batcher.infer(ctx, number));
    co_return success();
  };
  spawn(sim.runtime(), gone, ask, 1);
  spawn(sim.runtime(), Context::background(), ask, 2);
  sim.run_until_idle();
  CHECK(seen == std::vector<bool>{true, false});
  REQUIRE(outcomes.size() == 2);
}

TEST_CASE("a batch of costly inputs is smaller") {
  testing::SimRuntime sim;
  std::vector<std::size_t> sizes;
  TypedBatcher<int, int> batcher(sim.runtime(), {.max_cost = 100}, [&](std::span<const int> in) {
    sizes.push_back(in.size());
    return std::vector<Result<int>>(in.begin(), in.end());
  });
  batcher.set_cost([](const int& tokens) { return tokens; });
  sim.start();
  std::vector<std::future<Result<int>>> answers;
  for (const int tokens : {40, 40, 40, 10}) {
    answers.push_back(batcher.submit(Context::background(), tokens));
  }
  sim.run_until_idle();
  for (auto& answer : answers) CHECK(answer.get().ok());
  CHECK(sizes == std::vector<std::size_t>{2, 2});
}

TEST_CASE("the callable is replaced while requests come") {
  testing::SimRuntime sim;
  TypedBatcher<int, int> batcher(sim.runtime(), {}, [](std::span<const int> in) {
    return std::vector<Result<int>>(in.begin(), in.end());
  });
  sim.start();
  std::optional<Result<void>> replaced;
  const auto replace = [&](const Context& ctx) -> Async<void> {
    const auto twice = [](std::span<const int> in) {
      std::vector<Result<int>> results;
      for (const int number : in) results.emplace_back(2 * number);
      return results;
    };
    replaced = co_await batcher.replace(ctx, twice);
    co_return success();
  };
  spawn(sim.runtime(), Context::background(), replace);
  sim.run_until_idle();
  CHECK(replaced.value().ok());
  std::future<Result<int>> answer = batcher.submit(Context::background(), 4);
  sim.run_until_idle();
  CHECK(answer.get().value() == 8);
}
