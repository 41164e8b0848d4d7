// Random steps, failures, ends, departures and pauses against a simple model of the SequenceTable.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "decide/sequence_table.hpp"

using namespace aiserve::decide;

namespace {

using Key = std::pair<std::string, std::string>;

struct Modelled {
  std::uint32_t slot = 0;
  bool live = false;
  bool busy = true;
  std::size_t waiting = 0;
  Nanos idle_since = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed),
        limits_{.max_sequences = 1 + below(6),
                .max_per_tenant = 1 + below(4),
                .max_waiting = below(4),
                .idle_timeout = static_cast<Nanos>(20 + below(200))},
        table_(limits_) {}

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      now_ += static_cast<Nanos>(below(30));
      const std::size_t dice = below(10);
      if (dice < 5) {
        step();
      } else if (dice < 8) {
        finish_one();
      } else if (dice < 9) {
        leave_one();
      } else {
        expire_model();
        check_expired(table_.expire(now_));
      }
      check_counts();
    }
  }
  int seen(StepVerdict verdict) const { return seen_[static_cast<std::size_t>(verdict)]; }
  int expired() const { return all_expired_; }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  Key any_key() { return {std::string(1, "ab"[below(2)]), std::to_string(below(5))}; }

  void step() {
    const Key key = any_key();
    const bool start = below(3) == 0;
    expire_model();
    const StepVerdict expected = verdict(key, start);
    const Nanos wait = until_expiry();
    const StepAdmission admission = table_.arrive(key.first, key.second, start, now_);
    check_expired(admission.expired);
    REQUIRE(admission.verdict == expected);
    ++seen_[static_cast<std::size_t>(expected)];
    if (expected == StepVerdict::full || expected == StepVerdict::tenant_full) {
      CHECK(admission.retry_after == wait);
    }
    if (expected == StepVerdict::wait) {
      CHECK(admission.slot == model_.at(key).slot);
      ++model_.at(key).waiting;
    }
    if (expected == StepVerdict::run) admit(key, admission.slot);
  }

  void admit(const Key& key, std::uint32_t slot) {
    const auto found = model_.find(key);
    if (found != model_.end()) {
      CHECK(slot == found->second.slot);
      found->second.busy = true;
      return;
    }
    for (const auto& [other, sequence] : model_) CHECK(sequence.slot != slot);
    CHECK(slot < limits_.max_sequences);
    model_[key].slot = slot;
  }

  StepVerdict verdict(const Key& key, bool start) const {
    if (const auto found = model_.find(key); found != model_.end()) {
      if (!found->second.busy) return StepVerdict::run;
      return found->second.waiting < limits_.max_waiting ? StepVerdict::wait : StepVerdict::crowded;
    }
    if (!start) return StepVerdict::unknown;
    if (model_.size() >= limits_.max_sequences) return StepVerdict::full;
    const auto own = std::count_if(model_.begin(), model_.end(), [&](const auto& entry) {
      return entry.first.first == key.first;
    });
    const bool room = static_cast<std::size_t>(own) < limits_.max_per_tenant;
    return room ? StepVerdict::run : StepVerdict::tenant_full;
  }

  Nanos until_expiry() const {
    Nanos least = limits_.idle_timeout;
    for (const auto& [key, sequence] : model_) {
      if (sequence.busy) continue;
      least = std::min(least, sequence.idle_since + limits_.idle_timeout - now_);
    }
    return least;
  }

  void finish_one() {
    const auto found = any_busy([](const Modelled&) { return true; });
    if (!found) return;
    Modelled& sequence = model_.at(*found);
    const auto end = static_cast<StepEnd>(below(3));
    if (end != StepEnd::unchanged) sequence.live = end == StepEnd::advanced;
    const bool free = !sequence.live && sequence.waiting == 0;
    CHECK(table_.finish(sequence.slot, end, now_) == free);
    if (free) {
      model_.erase(*found);
      return;
    }
    CHECK(table_.live(sequence.slot) == sequence.live);
    sequence.idle_since = now_;
    sequence.busy = sequence.waiting != 0;
    if (!sequence.busy) return;
    table_.take(sequence.slot);
    --sequence.waiting;
  }

  void leave_one() {
    const auto found = any_busy([](const Modelled& sequence) { return sequence.waiting != 0; });
    if (!found) return;
    table_.leave(model_.at(*found).slot);
    --model_.at(*found).waiting;
  }

  template <class Which>
  std::optional<Key> any_busy(Which which) {
    std::vector<Key> keys;
    for (const auto& [key, sequence] : model_) {
      if (sequence.busy && which(sequence)) keys.push_back(key);
    }
    if (keys.empty()) return std::nullopt;
    return keys[below(keys.size())];
  }

  void expire_model() {
    expected_expired_.clear();
    std::erase_if(model_, [&](const auto& entry) {
      const Modelled& sequence = entry.second;
      if (sequence.busy || now_ - sequence.idle_since < limits_.idle_timeout) return false;
      expected_expired_.insert(sequence.slot);
      return true;
    });
  }
  void check_expired(std::span<const std::uint32_t> expired) {
    CHECK(std::set<std::uint32_t>(expired.begin(), expired.end()) == expected_expired_);
    CHECK(expired.size() == expected_expired_.size());
    all_expired_ += static_cast<int>(expired.size());
  }

  void check_counts() const {
    CHECK(table_.size() == model_.size());
    CHECK(table_.slots() <= limits_.max_sequences);
    const auto busy = std::count_if(model_.begin(), model_.end(),
                                    [](const auto& entry) { return entry.second.busy; });
    CHECK(table_.busy() == static_cast<std::size_t>(busy));
  }

  std::mt19937_64 random_;
  SequenceLimits limits_;
  SequenceTable table_;
  std::map<Key, Modelled> model_;
  std::set<std::uint32_t> expected_expired_;
  std::array<int, 6> seen_{};
  int all_expired_ = 0;
  Nanos now_ = 0;
};

}  // namespace

TEST_CASE("over random traces the table does what its description says, and every case occurs") {
  std::array<int, 6> seen{};
  int expired = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.run(400);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      seen[i] += world.seen(static_cast<StepVerdict>(i));
    }
    expired += world.expired();
  }
  for (const int count : seen) CHECK(count > 100);
  CHECK(expired > 100);
}
