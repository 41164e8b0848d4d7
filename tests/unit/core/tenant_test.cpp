#include <aiserve/core/tenant.hpp>

#include <limits>
#include <unordered_map>

#include <doctest/doctest.h>

using aiserve::ConfigError;
using aiserve::Errc;
using aiserve::Tenant;
using aiserve::TenantId;
using aiserve::TenantSpec;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string problem(TenantSpec spec) {
  const auto made = Tenant::make(std::move(spec));
  return made ? "" : made.error().message();
}
}  // namespace

TEST_CASE("a default tenant is anonymous and unlimited") {
  const Tenant tenant = Tenant::anonymous();
  CHECK(tenant.is_anonymous());
  CHECK(tenant.id() == TenantId());
  CHECK(tenant.plan() == "default");
  CHECK(tenant.weight() == 1);
  CHECK(tenant.limits() == aiserve::TenantLimits{});
  CHECK(tenant.scopes().empty());
}

TEST_CASE("a tenant is what its spec says, scopes sorted and each once") {
  const Tenant tenant({.id = TenantId("acme"),
                       .plan = "pro",
                       .weight = 2.5,
                       .limits = {.requests_per_second = 10.0, .max_in_flight = 3},
                       .scopes = {"train", "infer", "train"}});
  CHECK_FALSE(tenant.is_anonymous());
  CHECK(tenant.id().value() == "acme");
  CHECK(tenant.plan() == "pro");
  CHECK(tenant.weight() == 2.5);
  CHECK(tenant.limits().requests_per_second == 10.0);
  CHECK(tenant.limits().max_in_flight == 3u);
  CHECK_FALSE(tenant.limits().max_queue);
  CHECK(std::vector<std::string>(tenant.scopes().begin(), tenant.scopes().end()) ==
        std::vector<std::string>{"infer", "train"});
  CHECK(tenant.has_scope("infer"));
  CHECK_FALSE(tenant.has_scope("inf"));
  CHECK_FALSE(tenant.has_scope(""));
}

TEST_CASE("a copy of a tenant outlives the original") {
  auto original = std::make_unique<Tenant>(TenantSpec{.id = TenantId("acme")});
  const Tenant copy = *original;
  original.reset();
  CHECK(copy.id().value() == "acme");
}

TEST_CASE("a spec with a number out of its range is refused and the field is named") {
  CHECK(problem({.weight = 0}).find("weight") != std::string::npos);
  CHECK(problem({.weight = -1}).find("weight") != std::string::npos);
  CHECK(problem({.weight = kNan}).find("weight") != std::string::npos);
  CHECK(problem({.weight = kInfinity}).find("weight") != std::string::npos);
  CHECK(problem({.limits = {.requests_per_second = 0.0}}).find("requests_per_second") !=
        std::string::npos);
  CHECK(problem({.limits = {.burst = 0.5}}).find("burst") != std::string::npos);
  CHECK(problem({.limits = {.burst = kNan}}).find("burst") != std::string::npos);
  CHECK(problem({.limits = {.max_in_flight = 0u}}).find("max_in_flight") != std::string::npos);
  CHECK(problem({.plan = ""}).find("plan") != std::string::npos);
  CHECK(problem({.limits = {.max_queue = 0u}}).empty());
  CHECK_THROWS_AS(Tenant({.weight = 0}), ConfigError);
}

TEST_CASE("an id from outside is printable, not empty and not long") {
  CHECK(TenantId::parse("auth0|507f1f77").ok());
  CHECK(TenantId::parse(std::string(128, 'x')).ok());
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\xc3\xa4"), std::string("\x7f")}) {
    const auto id = TenantId::parse(bad);
    REQUIRE_FALSE(id.ok());
    CHECK(id.error().code() == Errc::invalid_argument);
  }
  CHECK_FALSE(problem({.id = TenantId("a b")}).empty());
}

TEST_CASE("ids are keys, ordered and hashed") {
  std::unordered_map<TenantId, int> map{{TenantId("a"), 1}, {TenantId("b"), 2}};
  CHECK(map.at(TenantId(std::string_view("b"))) == 2);
  CHECK(TenantId("a") < TenantId("b"));
}
