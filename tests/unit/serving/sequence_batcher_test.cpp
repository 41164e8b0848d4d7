#include "aiserve/serving/sequence_batcher.hpp"

#include <deque>
#include <optional>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "core/runtime_core.hpp"
#include "unit/serving/running_sum.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::RunningSum;

namespace {

constexpr SequenceStep kStart{.start = true};
constexpr SequenceStep kMiddle{};
constexpr SequenceStep kEnd{.end = true};

using Outcome = std::optional<Result<TensorSet>>;

struct Bench {
  explicit Bench(SequenceOptions options = {})
      : sequences(sim.runtime(), sum.model, RunningSum::options(std::move(options))) {
    sim.start();
  }

  /// Asks, and leaves it to the caller to let time pass.
  Outcome& ask(const Context& ctx, const char* id, float x, SequenceStep flags) {
    Outcome& outcome = outcomes.emplace_back();
    const auto step = [this, &outcome](const Context& own, const SequenceId& sequence,
                                       const float& value, SequenceStep how) -> Async<void> {
      const TensorSet inputs = RunningSum::input(value);
      outcome = co_await sequences.step(own, sequence, inputs, how);
      co_return success();
    };
    spawn(sim.runtime(), ctx, step, SequenceId(id), x, flags);
    return outcome;
  }
  Outcome& ask(const char* id, float x, SequenceStep flags) {
    return ask(Context::background(), id, x, flags);
  }
  Result<TensorSet> step(const Context& ctx, const char* id, float x, SequenceStep flags) {
    Outcome& outcome = ask(ctx, id, x, flags);
    sim.run_until_idle();
    REQUIRE(outcome.has_value());
    return *outcome;
  }
  Result<TensorSet> step(const char* id, float x, SequenceStep flags) {
    return step(Context::background(), id, x, flags);
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  RunningSum sum;
  std::deque<Outcome> outcomes;
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  SequenceBatcher sequences;
};

float sum_of(const Result<TensorSet>& outcome) {
  return outcome.value().find("seen")->data<float>()[0];
}
bool saw_start(const Result<TensorSet>& outcome) {
  return outcome.value().find("seen")->data<float>()[1] == 1;
}
float expected(std::initializer_list<float> steps) {
  double sum = 0;
  for (const float x : steps) sum = RunningSum::next(sum, x);
  return static_cast<float>(sum);
}
Context of_tenant(const char* id) {
  return Context(ContextOptions{.tenant = Tenant({.id = TenantId(id)})});
}

}  // namespace

TEST_CASE("steps of different sequences share a batch, and each goes on from its own state") {
  Bench bench;
  for (const char* id : {"a", "b", "c"}) bench.ask(id, static_cast<float>(id[0]), kStart);
  bench.sim.run_until_idle();
  for (const char* id : {"c", "a", "b"}) bench.ask(id, 1, kMiddle);
  bench.sim.run_until_idle();
  CHECK(bench.sum.batch_sizes == std::vector<std::size_t>{3, 3});
  CHECK(sum_of(*bench.outcomes[3]) == expected({'c', 1}));
  CHECK(sum_of(*bench.outcomes[4]) == expected({'a', 1}));
  CHECK(sum_of(*bench.outcomes[5]) == expected({'b', 1}));
}

TEST_CASE("an answer has the outputs without the state, the model sees start and slot") {
  Bench bench;
  const Result<TensorSet> first = bench.step("a", 5, kStart);
  const Result<TensorSet> second = bench.step("a", 5, kMiddle);
  bench.step("b", 5, kStart).value();
  CHECK(first.value().items().size() == 1);
  CHECK(saw_start(first));
  CHECK_FALSE(saw_start(second));
  CHECK(bench.sum.slots == std::vector<std::int32_t>{0, 0, 1});
}

TEST_CASE("steps of one sequence run one after the other, in order") {
  Bench bench;
  bench.ask("a", 1, kStart);
  for (const float x : {2.F, 3.F, 4.F}) bench.ask("a", x, kMiddle);
  bench.sim.run_until_idle();
  CHECK(bench.sum.batch_sizes == std::vector<std::size_t>{1, 1, 1, 1});
  CHECK(sum_of(*bench.outcomes[1]) == expected({1, 2}));
  CHECK(sum_of(*bench.outcomes[2]) == expected({1, 2, 3}));
  CHECK(sum_of(*bench.outcomes[3]) == expected({1, 2, 3, 4}));
}

TEST_CASE("a step of a sequence that was not started, or has ended, is not found") {
  Bench bench;
  CHECK(bench.step("a", 1, kMiddle).error().code() == Errc::not_found);
  bench.step("a", 1, kStart).value();
  CHECK(sum_of(bench.step("a", 2, kEnd)) == expected({1, 2}));
  CHECK(bench.sequences.snapshot().active == 0);
  CHECK(bench.step("a", 3, kMiddle).error().code() == Errc::not_found);
  CHECK(bench.sum.computed == 2);
}

TEST_CASE("a sequence may be a single step") {
  Bench bench;
  CHECK(sum_of(bench.step("a", 4, {.start = true, .end = true})) == expected({4}));
  CHECK(bench.sequences.snapshot().active == 0);
  CHECK(bench.sequences.snapshot().started == 1);
}

TEST_CASE("a start begins a sequence that exists anew, with zeros") {
  Bench bench;
  bench.step("a", 1, kStart).value();
  CHECK(sum_of(bench.step("a", 7, kStart)) == expected({7}));
  CHECK(sum_of(bench.step("a", 8, kMiddle)) == expected({7, 8}));
  CHECK(bench.sequences.snapshot().active == 1);
}

TEST_CASE("a step that fails leaves the state as it was, and can be made again") {
  Bench bench;
  bench.step("a", 1, kStart).value();
  CHECK(bench.step("a", RunningSum::kFail, kMiddle).error().code() == Errc::data_loss);
  CHECK(bench.step("a", RunningSum::kFail, kEnd).error().code() == Errc::data_loss);
  CHECK(bench.step("a", RunningSum::kFail, kStart).error().code() == Errc::data_loss);
  CHECK(sum_of(bench.step("a", 2, kMiddle)) == expected({1, 2}));
}

TEST_CASE("a first step that fails leaves no sequence, and those that waited for it are told") {
  Bench bench;
  bench.ask("a", RunningSum::kFail, kStart);
  bench.ask("a", 1, kMiddle);
  bench.ask("a", 2, kStart);
  bench.ask("a", 3, kMiddle);
  bench.sim.run_until_idle();
  CHECK(bench.outcomes[0]->error().code() == Errc::data_loss);
  CHECK(bench.outcomes[1]->error().code() == Errc::not_found);
  CHECK(sum_of(*bench.outcomes[2]) == expected({2}));
  CHECK(sum_of(*bench.outcomes[3]) == expected({2, 3}));
}

TEST_CASE("a poisoned step fails alone, the other sequences of its batch go on") {
  Bench bench;
  for (const char* id : {"a", "b", "c"}) bench.ask(id, 1, kStart);
  bench.sim.run_until_idle();
  bench.ask("a", 2, kMiddle);
  bench.ask("b", RunningSum::kThrow, kMiddle);
  bench.ask("c", 3, kMiddle);
  bench.sim.run_until_idle();
  CHECK(sum_of(*bench.outcomes[3]) == expected({1, 2}));
  CHECK(bench.outcomes[4]->error().code() == Errc::internal);
  CHECK(sum_of(*bench.outcomes[5]) == expected({1, 3}));
  CHECK(sum_of(bench.step("b", 2, kMiddle)) == expected({1, 2}));
}

TEST_CASE("a step that is cancelled while it is computed leaves the state as it was") {
  Bench bench;
  bench.step("a", 1, kStart).value();
  const Context ctx{ContextOptions{}};
  bench.sum.gate = [&](Batch&) { ctx.cancel(CancelReason::client_gone); };
  CHECK(bench.step(ctx, "a", 5, kEnd).error().code() == Errc::cancelled);
  bench.sum.gate = nullptr;
  CHECK(bench.sum.computed == 2);
  CHECK(sum_of(bench.step("a", 2, kMiddle)) == expected({1, 2}));
}

TEST_CASE("a step that is cancelled while it waits never runs, those behind it do") {
  Bench bench;
  const Context ctx{ContextOptions{}};
  bench.ask("a", 1, kStart);
  bench.ask(ctx, "a", 50, kMiddle);
  bench.ask("a", 2, kMiddle);
  bench.sum.gate = [&](Batch&) { ctx.cancel(CancelReason::user); };
  bench.sim.run_until_idle();
  CHECK(bench.outcomes[1]->error().code() == Errc::cancelled);
  CHECK(sum_of(*bench.outcomes[2]) == expected({1, 2}));
  CHECK(bench.sum.computed == 2);
  CHECK(bench.sequences.snapshot().waiting == 0);
}

TEST_CASE("the turn goes to the first step that still waits, whoever is cancelled first") {
  for (const bool running_first : {true, false}) {
    CAPTURE(running_first);
    Bench bench;
    bench.step("a", 1, kStart).value();
    const Context running{ContextOptions{}};
    const Context waiting{ContextOptions{}};
    bench.ask(running, "a", 20, kMiddle);
    bench.ask(waiting, "a", 30, kMiddle);
    bench.ask("a", 2, kMiddle);
    bench.sum.gate = [&](Batch&) {
      (running_first ? running : waiting).cancel(CancelReason::user);
      (running_first ? waiting : running).cancel(CancelReason::user);
    };
    bench.sim.run_until_idle();
    CHECK(bench.outcomes[1]->error().code() == Errc::cancelled);
    CHECK(bench.outcomes[2]->error().code() == Errc::cancelled);
    REQUIRE(bench.outcomes[3].has_value());
    CHECK(sum_of(*bench.outcomes[3]) == expected({1, 2}));
    CHECK(sum_of(bench.step("a", 3, kEnd)) == expected({1, 2, 3}));
    CHECK(bench.sequences.snapshot().active == 0);
    CHECK(bench.sequences.snapshot().waiting == 0);
  }
}

TEST_CASE("a step whose deadline passes while it waits never runs") {
  Bench bench;
  const Deadline soon = Deadline::after(bench.sim.clock().now(), 20ms);
  bench.ask("a", 1, kStart);
  bench.ask(Context(ContextOptions{.deadline = soon}), "a", 50, kMiddle);
  bench.sum.gate = [&](Batch&) { bench.sim.clock().advance(30ms); };
  bench.sim.run_until_idle();
  CHECK(bench.outcomes[1]->error().code() == Errc::deadline_exceeded);
  CHECK(bench.sum.computed == 1);
  CHECK(sum_of(bench.step("a", 2, kMiddle)) == expected({1, 2}));
}

TEST_CASE("no tenant reaches the sequence of another under the same id") {
  Bench bench;
  const Context one = of_tenant("one");
  const Context two = of_tenant("two");
  bench.step(one, "call", 1, kStart).value();
  CHECK(bench.step(two, "call", 1, kMiddle).error().code() == Errc::not_found);
  CHECK(bench.step("call", 1, kMiddle).error().code() == Errc::not_found);
  CHECK(sum_of(bench.step(two, "call", 9, kStart)) == expected({9}));
  CHECK(sum_of(bench.step(one, "call", 2, kMiddle)) == expected({1, 2}));
}

TEST_CASE("when all slots are taken a start is refused until one is free or has expired") {
  Bench bench({.max_sequences = 2, .idle_timeout = 10s});
  bench.step("a", 1, kStart).value();
  bench.sim.advance(4s);
  bench.step("b", 1, kStart).value();
  const Result<TensorSet> refused = bench.step("c", 1, kStart);
  REQUIRE(refused.error().code() == Errc::overloaded);
  CHECK(refused.error().retry_after() == 6s);
  bench.sim.advance(*refused.error().retry_after());
  CHECK(bench.step("c", 1, kStart).ok());
  CHECK(bench.step("a", 1, kMiddle).error().code() == Errc::not_found);
  CHECK(bench.step("b", 1, kEnd).ok());
  CHECK(bench.step("a", 1, kStart).ok());
}

TEST_CASE("one tenant cannot take the slots of all") {
  Bench bench({.max_sequences = 3, .max_sequences_per_tenant = 2});
  const Context greedy = of_tenant("greedy");
  bench.step(greedy, "1", 1, kStart).value();
  bench.step(greedy, "2", 1, kStart).value();
  const Result<TensorSet> refused = bench.step(greedy, "3", 1, kStart);
  CHECK(refused.error().code() == Errc::overloaded);
  CHECK(refused.error().retry_after().has_value());
  CHECK(bench.step(of_tenant("modest"), "1", 1, kStart).ok());
}

TEST_CASE("too many steps that wait for one sequence are refused as overloaded") {
  Bench bench({.max_waiting = 1});
  bench.ask("a", 1, kStart);
  bench.ask("a", 2, kMiddle);
  bench.ask("a", 3, kMiddle);
  bench.sim.run_until_idle();
  CHECK(sum_of(*bench.outcomes[1]) == expected({1, 2}));
  CHECK(bench.outcomes[2]->error().code() == Errc::overloaded);
  CHECK(bench.outcomes[2]->error().retry_after().has_value());
}

TEST_CASE("idle sequences are forgotten by the clock alone, those that go on are not") {
  Bench bench({.idle_timeout = 10s});
  bench.step("idle", 1, kStart).value();
  bench.step("busy", 1, kStart).value();
  bench.sim.advance(6s);
  bench.step("busy", 2, kMiddle).value();
  bench.sim.advance(6s);
  const SequenceSnapshot now = bench.sequences.snapshot();
  CHECK(now.active == 1);
  CHECK(now.started == 2);
  CHECK(now.expired == 1);
  CHECK(sum_of(bench.step("busy", 3, kMiddle)) == expected({1, 2, 3}));
}

TEST_CASE(
    "the states of idle sequences are freed about once a second, whether or not anybody asks") {
  Bench bench({.idle_timeout = 10s});
  Counter& expired = bench.telemetry.metrics().counter("aiserve_sequences_expired_total", "",
                                                       {{"batcher", "sum"}});
  bench.step("a", 1, kStart).value();
  bench.sim.advance(9s);
  bench.sim.runtime().core().tick();
  CHECK(expired.value() == 0);
  bench.sim.advance(1s);
  bench.sim.runtime().core().tick();
  CHECK(expired.value() == 1);
}

TEST_CASE("what a step brings is checked before it waits or takes a slot") {
  Bench bench;
  const auto refused = [&](const SequenceId& id, const TensorSet& inputs) {
    const auto step = [&](const Context& ctx) {
      return bench.sequences.step(ctx, id, inputs, kStart);
    };
    const Result<TensorSet> outcome = block_on(bench.sim.runtime(), step(Context::background()));
    return outcome.ok() ? std::string("ok") : outcome.error().message();
  };
  TensorSet state_too = RunningSum::input(1);
  state_too.add("sum_in", Tensor::from<double>({1}, {1}).value());
  TensorSet wrong_type;
  wrong_type.add("x", Tensor::from<double>({1}, {1}).value());
  const SequenceId good("a");
  CHECK(refused(good, {}) == "input 'x' is missing");
  CHECK(refused(good, state_too) == "a step brings these inputs, each once: x");
  CHECK(refused(good, wrong_type).find("must be float32") != std::string::npos);
  CHECK(refused(SequenceId(""), RunningSum::input(1)) == "a sequence id must have 1 to 128 bytes");
  CHECK(refused(SequenceId(std::string(129, 'x')), RunningSum::input(1)) ==
        "a sequence id must have 1 to 128 bytes");
  CHECK(refused(SequenceId(std::uint64_t{7}), RunningSum::input(1)) == "ok");
  CHECK(bench.sequences.snapshot().active == 1);
  CHECK(bench.sum.computed == 1);
}

TEST_CASE("another model takes over with the sequences of the old one") {
  RunningSum next;
  Bench bench;
  bench.step("a", 1, kStart).value();
  const auto replace = [&](const Context& ctx) {
    return bench.sequences.batcher().replace(ctx, next.model);
  };
  REQUIRE(block_on(bench.sim.runtime(), replace(Context::background())).ok());
  CHECK(sum_of(bench.step("a", 2, kMiddle)) == expected({1, 2}));
  CHECK(next.computed == 1);
}

TEST_CASE("metrics and status count sequences and refusals") {
  Bench bench({.max_sequences = 1});
  bench.step("a", 1, kStart).value();
  CHECK_FALSE(bench.step("b", 1, kStart).ok());
  CHECK_FALSE(bench.step("b", 1, kMiddle).ok());
  const std::string metrics = bench.telemetry.metrics().prometheus();
  const auto says = [&](const std::string& line) {
    return metrics.find(line + "\n") != std::string::npos;
  };
  CHECK(says("aiserve_sequences_active{batcher=\"sum\"} 1"));
  CHECK(says("aiserve_sequences_started_total{batcher=\"sum\"} 1"));
  CHECK(says("aiserve_sequences_refused_steps_total{batcher=\"sum\",reason=\"full\"} 1"));
  CHECK(says("aiserve_sequences_refused_steps_total{batcher=\"sum\",reason=\"unknown\"} 1"));
  const std::string status = bench.sim.runtime().status();
  CHECK(status.find("\"name\":\"sequences sum\"") != std::string::npos);
  CHECK(status.find("\"active\":1,\"stepping\":0,\"waiting\":0,\"started\":1,\"expired\":0,"
                    "\"state_bytes\":12,\"max_sequences\":1") != std::string::npos);
}

TEST_CASE("options that cannot work are refused by name") {
  RunningSum sum;
  testing::SimRuntime sim;
  const auto refusal = [&](const std::function<void(SequenceOptions&)>& change) {
    SequenceOptions options = RunningSum::options();
    change(options);
    try {
      const SequenceBatcher sequences(sim.runtime(), sum.model, options);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using Options = SequenceOptions;
  CHECK(refusal([](Options&) {}) == "accepted");
  CHECK(refusal([](Options& o) { o.max_sequences = 0; }) ==
        "sequences: max_sequences must be 1 to 2^20");
  CHECK(refusal([](Options& o) { o.max_waiting = 4097; }) ==
        "sequences: max_waiting must be 0 to 4096");
  CHECK(refusal([](Options& o) { o.idle_timeout = 0s; }) ==
        "sequences: idle_timeout must be at least 1 ms");
  CHECK(refusal([](Options& o) { o.state[0].input = "nothing"; }) ==
        "sequences: state: the model has no input 'nothing'");
  CHECK(refusal([](Options& o) { o.state[0].output = "nothing"; }) ==
        "sequences: state: the model has no output 'nothing'");
  CHECK(refusal([](Options& o) { o.state[1] = o.state[0]; }) ==
        "sequences: state: 'sum' is used twice");
  CHECK(refusal([](Options& o) { o.state[1].output = "seen"; }) ==
        "sequences: state: steps_in: int32 [-1, 1] and seen: float32 [-1, 2] differ");
  CHECK(refusal([](Options& o) { o.start_input = "sum_in"; }) ==
        "sequences: start_input: 'sum_in' is used twice");
  CHECK(refusal([](Options& o) { o.slot_input = "x"; }) ==
        "sequences: slot_input: 'x' must be i32 or i64");
  CHECK(refusal([](Options& o) {
          o.state.clear();
          o.slot_input.clear();
        }) == "sequences: state: no step would depend on another");
  CHECK(refusal([](Options& o) { o.batcher.max_batch = 0; }).find("max_batch") !=
        std::string::npos);
}
