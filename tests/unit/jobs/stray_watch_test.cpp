#include "jobs/stray_watch.hpp"

#include <doctest/doctest.h>

using namespace aiserve;
using detail::StrayWatch;

namespace {

using Attempts = std::vector<StrayWatch::Attempt>;

StrayWatch::Attempt attempt(std::int64_t id, int number = 1) {
  return {TenantId("t"), JobId(id), number};
}

constexpr std::size_t kAll = 500;

}  // namespace

TEST_CASE("what is unknown twice in a row is a stray, and stays one until the store has taken it") {
  StrayWatch watch;
  CHECK(watch.judge({attempt(1), attempt(2)}, kAll).empty());
  CHECK(watch.judge({attempt(1)}, kAll) == Attempts{attempt(1)});
  CHECK(watch.judge({attempt(1)}, kAll) == Attempts{attempt(1)});
  CHECK(watch.judge({}, kAll).empty());
  CHECK(watch.judge({attempt(1), attempt(2)}, kAll).empty());
}

TEST_CASE("attempts and tenants are told apart") {
  StrayWatch watch;
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  CHECK(watch.judge({attempt(1, 2)}, kAll).empty());
  CHECK(watch.judge({{TenantId("u"), JobId(1), 2}}, kAll).empty());
}

TEST_CASE("a claim that was under way at the first sight has to end first") {
  StrayWatch watch;
  watch.claim_begins();
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  watch.claim_ended();
  CHECK(watch.judge({attempt(1)}, kAll) == Attempts{attempt(1)});
  watch.claim_begins();  // a later one cannot bring it
  CHECK(watch.judge({attempt(1)}, kAll) == Attempts{attempt(1)});
}

TEST_CASE("what is left to its timeout is no stray while the store tells of it") {
  StrayWatch watch;
  watch.leave(attempt(1));
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  CHECK(watch.judge({}, kAll).empty());
  CHECK(watch.judge({attempt(1)}, kAll).empty());
  CHECK(watch.judge({attempt(1)}, kAll) == Attempts{attempt(1)});
}

TEST_CASE("a new incarnation begins with nothing, and no call names more than it may") {
  StrayWatch watch;
  CHECK(watch.judge({attempt(1), attempt(2), attempt(3)}, kAll).empty());
  CHECK(watch.judge({attempt(1), attempt(2), attempt(3)}, 2).size() == 2);
  watch.forget();
  CHECK(watch.judge({attempt(1), attempt(2), attempt(3)}, kAll).empty());
}
