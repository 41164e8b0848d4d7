#include "decide/sequence_table.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr SequenceLimits kSmall{
    .max_sequences = 3, .max_per_tenant = 2, .max_waiting = 2, .idle_timeout = 100};

std::vector<std::uint32_t> listed(std::span<const std::uint32_t> slots) {
  return {slots.begin(), slots.end()};
}

}  // namespace

TEST_CASE("a start opens a sequence, its next steps find it, its end frees it") {
  SequenceTable table(kSmall);
  const StepAdmission first = table.arrive("a", "call", true, 0);
  REQUIRE(first.verdict == StepVerdict::run);
  CHECK_FALSE(table.live(first.slot));
  CHECK_FALSE(table.finish(first.slot, StepEnd::advanced, 1));
  const StepAdmission second = table.arrive("a", "call", false, 2);
  REQUIRE(second.verdict == StepVerdict::run);
  CHECK(second.slot == first.slot);
  CHECK(table.live(second.slot));
  CHECK(table.finish(second.slot, StepEnd::ended, 3));
  CHECK(table.size() == 0);
  CHECK(table.arrive("a", "call", false, 4).verdict == StepVerdict::unknown);
}

TEST_CASE("a first step that fails leaves no sequence behind") {
  SequenceTable table(kSmall);
  const StepAdmission first = table.arrive("a", "call", true, 0);
  CHECK(table.finish(first.slot, StepEnd::unchanged, 1));
  CHECK(table.size() == 0);
}

TEST_CASE("a step that fails leaves the sequence as it was, also when it would have restarted it") {
  SequenceTable table(kSmall);
  const std::uint32_t slot = table.arrive("a", "call", true, 0).slot;
  table.finish(slot, StepEnd::advanced, 1);
  for (const bool start : {false, true}) {
    REQUIRE(table.arrive("a", "call", start, 2).verdict == StepVerdict::run);
    CHECK_FALSE(table.finish(slot, StepEnd::unchanged, 3));
    CHECK(table.live(slot));
  }
}

TEST_CASE("one step has the turn, later ones wait, and there are not too many of them") {
  SequenceTable table(kSmall);
  const std::uint32_t slot = table.arrive("a", "call", true, 0).slot;
  CHECK(table.arrive("a", "call", false, 0).verdict == StepVerdict::wait);
  CHECK(table.arrive("a", "call", false, 0).verdict == StepVerdict::wait);
  CHECK(table.arrive("a", "call", false, 0).verdict == StepVerdict::crowded);
  table.leave(slot);
  CHECK(table.arrive("a", "call", true, 0).verdict == StepVerdict::wait);
  CHECK_FALSE(table.finish(slot, StepEnd::advanced, 1));
  table.take(slot);
  CHECK(table.busy() == 1);
  CHECK_FALSE(table.finish(slot, StepEnd::ended, 2));  // the last one that waits keeps the slot
  CHECK_FALSE(table.live(slot));
  table.take(slot);
  CHECK(table.finish(slot, StepEnd::unchanged, 3));
  CHECK(table.busy() == 0);
}

TEST_CASE("the same id of another tenant is another sequence, however the two are spelled") {
  SequenceTable table(kSmall);
  const std::uint32_t slot = table.arrive("a", "bc", true, 0).slot;
  table.finish(slot, StepEnd::advanced, 0);
  CHECK(table.arrive("b", "bc", false, 0).verdict == StepVerdict::unknown);
  CHECK(table.arrive("ab", "c", false, 0).verdict == StepVerdict::unknown);
  CHECK(table.arrive("", "abc", false, 0).verdict == StepVerdict::unknown);
  const StepAdmission other = table.arrive("b", "bc", true, 0);
  CHECK(other.verdict == StepVerdict::run);
  CHECK(other.slot != slot);
}

TEST_CASE("a full table says when the sequence that is idle longest will have expired") {
  SequenceTable table(kSmall);
  const auto open = [&](const char* tenant, const char* id, Nanos now) {
    const StepAdmission admission = table.arrive(tenant, id, true, now);
    REQUIRE(admission.verdict == StepVerdict::run);
    table.finish(admission.slot, StepEnd::advanced, now);
    return admission.slot;
  };
  const std::uint32_t oldest = open("a", "1", 10);
  open("b", "2", 20);
  open("b", "3", 30);
  const StepAdmission refused = table.arrive("c", "4", true, 50);
  CHECK(refused.verdict == StepVerdict::full);
  CHECK(refused.retry_after == 60);
  CHECK(table.arrive("b", "2", false, 109).verdict == StepVerdict::run);  // not idle from here on
  const StepAdmission admitted = table.arrive("c", "4", true, 110);
  CHECK(admitted.verdict == StepVerdict::run);
  CHECK(listed(admitted.expired) == std::vector<std::uint32_t>{oldest});
  CHECK(admitted.slot == oldest);
}

TEST_CASE("a tenant has no more than its part of the slots") {
  SequenceTable table(kSmall);
  CHECK(table.arrive("a", "1", true, 0).verdict == StepVerdict::run);
  const std::uint32_t second = table.arrive("a", "2", true, 0).slot;
  CHECK(table.arrive("a", "3", true, 0).verdict == StepVerdict::tenant_full);
  CHECK(table.arrive("b", "3", true, 0).verdict == StepVerdict::run);
  table.finish(second, StepEnd::ended, 1);
  CHECK(table.arrive("a", "3", true, 1).verdict == StepVerdict::run);
}

TEST_CASE("what is idle for the timeout expires at that moment and not before") {
  SequenceTable table(kSmall);
  const std::uint32_t slot = table.arrive("a", "1", true, 0).slot;
  CHECK(table.expire(1'000).empty());  // its step still runs
  table.finish(slot, StepEnd::advanced, 1'000);
  CHECK(table.expire(1'099).empty());
  CHECK(listed(table.expire(1'100)) == std::vector<std::uint32_t>{slot});
  CHECK(table.size() == 0);
}
