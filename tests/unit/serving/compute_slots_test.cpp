#include "aiserve/serving/compute_slots.hpp"

#include <doctest/doctest.h>

#include "serving/compute_slots.hpp"
#include "unit/serving/sim_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::detail::ComputeSlotsClient;
using aiserve::testing::Doubler;

TEST_CASE("the slot that is let go is handed to who computed least for its weight") {
  ComputeSlots slots(1);
  ComputeSlotsClient heavy(&slots, 1, [] {});
  heavy.set_weight(3);
  ComputeSlotsClient light(&slots, 1, [] {});
  ComputeSlotsClient first(&slots, 1, [] {});
  REQUIRE(first.acquire());
  CHECK_FALSE(heavy.acquire());
  CHECK_FALSE(light.acquire());
  int heavy_runs = 0;
  first.release(10ms);
  for (int i = 0; i < 40; ++i) {
    const bool heavy_turn = heavy.acquire();
    if (!heavy_turn) REQUIRE(light.acquire());
    heavy_runs += heavy_turn ? 1 : 0;
    (heavy_turn ? heavy : light).release(10ms, true);
  }
  CHECK(heavy_runs >= 28);
  CHECK(heavy_runs <= 32);
  CHECK(slots.in_use() == 1);
}

TEST_CASE("without slots everybody always gets one") {
  ComputeSlotsClient client(nullptr, 1, [] {});
  CHECK(client.acquire());
  CHECK(client.acquire());
  client.release(1ms);
}

TEST_CASE("a client that goes leaves no slot behind") {
  ComputeSlots slots(1);
  {
    ComputeSlotsClient holder(&slots, 1, [] {});
    ComputeSlotsClient waiting(&slots, 1, [] {});
    REQUIRE(holder.acquire());
    CHECK_FALSE(waiting.acquire());
    holder.release(1ms);  // set aside for `waiting`, who never takes it
    CHECK(slots.in_use() == 1);
  }
  CHECK(slots.in_use() == 0);
}

TEST_CASE("two batchers on one slot both finish, one batch at a time") {
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  testing::SimRuntime sim{RuntimeOptions{.telemetry = &telemetry}};
  ComputeSlots slots(1);
  Doubler first, second;
  Batcher a(sim.runtime(), first.model, {.name = "a", .max_batch = 2, .slots = &slots});
  Batcher b(sim.runtime(), second.model, {.name = "b", .max_batch = 2, .slots = &slots});
  int most = 0;
  const auto look = [&](Batch&) { most = std::max(most, slots.in_use()); };
  first.gate = look;
  second.gate = look;
  sim.start();
  int answered = 0;
  const auto count = [&](const Result<Inference>& result) { answered += result.ok() ? 1 : 0; };
  for (int i = 0; i < 20; ++i) {
    a.submit(Context::background(), Doubler::input(1), count);
    b.submit(Context::background(), Doubler::input(1), count);
  }
  sim.run_until_idle();
  CHECK(answered == 40);
  CHECK(most == 1);
  CHECK(slots.in_use() == 0);
}

TEST_CASE("slots out of range are refused") {
  CHECK_THROWS_AS(ComputeSlots(0), ConfigError);
  CHECK_THROWS_AS(ComputeSlots(1025), ConfigError);
}
