#include "postgres/claim_cursors.hpp"

#include <doctest/doctest.h>

using namespace aiserve;
using namespace std::chrono_literals;
using pg::ClaimCursors;

namespace {

const TenantId kTenant("t");
constexpr ClaimCursors::TimePoint kStart{};

std::vector<pg::ReadyJob> ready(std::int64_t rank) { return {{kTenant, "kind", rank}}; }

}  // namespace

TEST_CASE("a claim begins where the one before it ended") {
  ClaimCursors cursors;
  CHECK(cursors.begin(kTenant, "kind", kStart) == ClaimCursors::kNone);
  cursors.claimed_up_to(kTenant, "kind", 7);
  CHECK(cursors.begin(kTenant, "kind", kStart) == 7);
  CHECK(cursors.bound(kTenant, "kind", kStart) == 7);
  CHECK(cursors.bound(kTenant, "other", kStart) == ClaimCursors::kNone);
  CHECK(cursors.bound(TenantId("u"), "kind", kStart) == ClaimCursors::kNone);
}

TEST_CASE("a job that became ready below the bound lowers it, also in the middle of a claim") {
  ClaimCursors cursors;
  cursors.begin(kTenant, "kind", kStart);
  cursors.claimed_up_to(kTenant, "kind", 7);
  cursors.made_ready(ready(9));
  CHECK(cursors.bound(kTenant, "kind", kStart) == 7);
  cursors.made_ready(ready(5));
  CHECK(cursors.begin(kTenant, "kind", kStart) == 5);
  cursors.made_ready(ready(6));
  cursors.claimed_up_to(kTenant, "kind", 20);
  CHECK(cursors.bound(kTenant, "kind", kStart) == 6);
}

TEST_CASE("a bound is trusted for a while, and not after another process told of jobs") {
  ClaimCursors cursors;
  cursors.begin(kTenant, "kind", kStart);
  cursors.claimed_up_to(kTenant, "kind", 7);
  const auto late = kStart + ClaimCursors::kTrusted;
  CHECK(cursors.bound(kTenant, "kind", late - 1ns) == 7);
  CHECK(cursors.bound(kTenant, "kind", late) == ClaimCursors::kNone);
  CHECK(cursors.begin(kTenant, "kind", late) == ClaimCursors::kNone);
  cursors.claimed_up_to(kTenant, "kind", 8);
  CHECK(cursors.bound(kTenant, "kind", late) == 8);
  cursors.forget();
  CHECK(cursors.bound(kTenant, "kind", late) == ClaimCursors::kNone);
}
