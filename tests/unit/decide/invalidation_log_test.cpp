#include "decide/invalidation_log.hpp"

#include <array>
#include <map>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

using Labels = std::array<InvalidationLog::Label, 2>;

}  // namespace

TEST_CASE("what was born before a kill of one of its labels is dead, what comes after lives") {
  InvalidationLog log(8);
  const Labels both{1, 2};
  const Labels other{3, 4};
  const auto before = log.birth(90);
  log.kill(2, 100);
  const auto after = log.birth(110);
  CHECK_FALSE(log.alive(before, both));
  CHECK(log.alive(before, other));
  CHECK(log.alive(after, both));
  CHECK(after == 110);
}

TEST_CASE("kills of one label at the same moment are told apart from what is born between them") {
  InvalidationLog log(8);
  const Labels labels{1, 2};
  log.kill(1, 100);
  const auto between = log.birth(100);
  CHECK(log.alive(between, labels));
  log.kill(1, 100);
  CHECK_FALSE(log.alive(between, labels));
  CHECK(log.alive(log.birth(100), labels));
}

TEST_CASE("a wall clock that steps back takes no kill back") {
  InvalidationLog log(8);
  const Labels labels{1, 2};
  const auto born = log.birth(1'000);
  log.kill(1, 10);
  CHECK_FALSE(log.alive(born, labels));
  CHECK(log.birth(11) > born);
  CHECK(log.alive(log.birth(11), labels));
}

TEST_CASE("killing all leaves nothing of before, whatever its labels") {
  InvalidationLog log(8);
  const auto before = log.birth(50);
  log.kill_all(50);
  CHECK_FALSE(log.alive(before, {}));
  CHECK(log.alive(log.birth(50), {}));
}

TEST_CASE("a full log kills more than it was told, never less") {
  InvalidationLog log(4);
  std::map<InvalidationLog::Label, InvalidationLog::Stamp> killed;
  std::mt19937_64 random(7);
  for (int step = 0; step < 5'000; ++step) {
    const InvalidationLog::Label label = random() % 20;
    log.kill(label, step);
    killed[label] = log.newest_kill();
    CHECK(log.kills().size() <= 4);
    const auto born = static_cast<InvalidationLog::Stamp>(random() % 5'000);
    const Labels labels{random() % 20, random() % 20};
    for (const auto one : labels) {
      if (killed.contains(one) && killed[one] > born) CHECK_FALSE(log.alive(born, labels));
    }
    CHECK(log.alive(log.birth(step), labels));
  }
}

TEST_CASE("a later process takes over what an earlier one has killed") {
  InvalidationLog earlier(8);
  const Labels labels{1, 2};
  const Labels other{3, 4};
  earlier.kill(9, 400);
  const auto born = earlier.birth(450);
  earlier.kill(2, 500);
  const auto kills = earlier.kills();

  InvalidationLog later(8);
  later.merge(earlier.floor(), kills);
  CHECK_FALSE(later.alive(born, labels));
  CHECK(later.alive(born, other));
  CHECK(later.newest_kill() == earlier.newest_kill());
  CHECK(later.alive(later.birth(0), labels));

  earlier.kill_all(600);
  later.merge(earlier.floor(), {});
  CHECK_FALSE(later.alive(born, other));
}
