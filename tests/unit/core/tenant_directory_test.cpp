#include <aiserve/core/tenant_directory.hpp>

#include <doctest/doctest.h>

#include "test_paths.hpp"

using aiserve::ConfigError;
using aiserve::Errc;
using aiserve::FileTenantDirectory;
using aiserve::StaticTenantDirectory;
using aiserve::Tenant;
using aiserve::TenantId;
using aiserve::TenantSpec;
using aiserve::UnknownTenants;

namespace {

const TenantId kAcme("acme");
const TenantId kNobody("nobody");

constexpr std::string_view kFile = R"({
  "plans":   {"free": {"requests_per_second": 5, "burst": 10},
              "pro":  {"weight": 4, "max_in_flight": 64, "scopes": ["train", "infer"]}},
  "tenants": [{"id": "acme", "plan": "pro", "weight": 8, "max_queue": 0},
              {"id": "small", "plan": "free"},
              {"id": "plain"}],
  "unknown": "free"
})";

// The message that a reload with this text gives; empty when it is taken.
std::string problem(std::string_view text, Errc code = Errc::invalid_argument) {
  const TemporaryFile file("{}");
  FileTenantDirectory directory({.path = file.path()});
  file.write(text);
  const auto reloaded = directory.reload();
  if (reloaded) return "";
  CHECK(reloaded.error().code() == code);
  CHECK(reloaded.error().detail() == file.path());
  return reloaded.error().message();
}

}  // namespace

TEST_CASE("a directory in code finds who is in it and rejects who is not") {
  StaticTenantDirectory directory({{.id = kAcme, .plan = "pro", .weight = 4}});
  CHECK(directory.find(kAcme).value().plan() == "pro");
  const auto unknown = directory.find(kNobody);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code() == Errc::permission_denied);
  CHECK_FALSE(directory.find(TenantId()).ok());
}

TEST_CASE("unknown tenants may get a plan under their own id") {
  StaticTenantDirectory directory({}, UnknownTenants::admit({.plan = "trial", .weight = 0.5}));
  const Tenant tenant = directory.find(kNobody).value();
  CHECK(tenant.id() == kNobody);
  CHECK(tenant.plan() == "trial");
  CHECK(tenant.weight() == 0.5);
  CHECK(directory.find(TenantId()).value().is_anonymous());
  CHECK(directory.find(TenantId("a b")).error().code() == Errc::invalid_argument);
  CHECK(directory.size() == 0);  // nobody fills it from outside
  CHECK_THROWS_AS(UnknownTenants::admit({.weight = 0}), ConfigError);
}

TEST_CASE("changes are live, and a tenant that was found stays what it was") {
  StaticTenantDirectory directory({{.id = kAcme, .weight = 1}});
  const Tenant before = directory.find(kAcme).value();
  CHECK(directory.put({.id = kAcme, .weight = 2}).ok());
  CHECK(directory.find(kAcme).value().weight() == 2);
  CHECK(before.weight() == 1);
  CHECK(directory.put({.id = kNobody}).ok());
  CHECK(directory.size() == 2);
  CHECK(directory.remove(kAcme));
  CHECK_FALSE(directory.remove(kAcme));
  CHECK_FALSE(directory.find(kAcme).ok());
  directory.set_unknown(UnknownTenants::admit({.plan = "free"}));
  CHECK(directory.find(kAcme).value().plan() == "free");
  CHECK(directory.put({.id = kAcme, .weight = -1}).error().code() == Errc::invalid_argument);
  CHECK_FALSE(directory.put({}).ok());
}

TEST_CASE("a directory in code refuses bad and duplicate tenants") {
  using Specs = std::vector<TenantSpec>;
  CHECK_THROWS_AS(StaticTenantDirectory(Specs{{.id = kAcme}, {.id = kAcme}}), ConfigError);
  CHECK_THROWS_AS(StaticTenantDirectory(Specs{{.id = kAcme, .weight = 0}}), ConfigError);
  CHECK_THROWS_AS(StaticTenantDirectory(Specs{{}}), ConfigError);
}

TEST_CASE("a file gives plans, tenants that override them, and the plan of the unknown") {
  const TemporaryFile file(kFile);
  const FileTenantDirectory directory({.path = file.path()});
  CHECK(directory.size() == 3);
  const Tenant acme = directory.find(kAcme).value();
  CHECK(acme.plan() == "pro");
  CHECK(acme.weight() == 8);
  CHECK(acme.limits().max_in_flight == 64u);
  CHECK(acme.limits().max_queue == 0u);
  CHECK(acme.has_scope("infer"));
  const Tenant small = directory.find(TenantId("small")).value();
  CHECK(small.limits().requests_per_second == 5.0);
  CHECK(small.limits().burst == 10.0);
  CHECK(directory.find(TenantId("plain")).value().plan() == "default");
  CHECK(directory.find(kNobody).value().plan() == "free");
}

TEST_CASE("a reload takes the new file, all of it or nothing") {
  const TemporaryFile file(R"({"tenants": [{"id": "acme", "weight": 1}]})");
  FileTenantDirectory directory({.path = file.path()});
  CHECK_FALSE(directory.find(kNobody).ok());

  file.write(R"({"tenants": [{"id": "nobody", "weight": 3}]})");
  CHECK(directory.reload().ok());
  CHECK(directory.find(kNobody).value().weight() == 3);
  CHECK_FALSE(directory.find(kAcme).ok());

  file.write(R"({"tenants": [{"id": "acme"}, {"id": "x", "wieght": 3}]})");
  CHECK(directory.reload().error().message() == "tenants[1].wieght is not known");
  CHECK(directory.find(kNobody).value().weight() == 3);
  CHECK_FALSE(directory.find(kAcme).ok());

  file.remove();
  const auto gone = directory.reload();
  CHECK(gone.error().code() == Errc::unavailable);
  CHECK(gone.error().message().find(file.path()) == std::string::npos);
  CHECK(directory.find(kNobody).ok());
}

TEST_CASE("what is wrong with a file is named with its place") {
  CHECK(problem("{", Errc::malformed) == "invalid JSON at byte 1");
  CHECK(problem(R"({"tenants":[],"tenants":[]})", Errc::malformed).starts_with("duplicate key"));
  CHECK(problem("[]") == "the tenant file must hold an object");
  CHECK(problem(R"({"tenant": []})") == "tenant is not known");
  CHECK(problem(R"({"tenants": {}})") == "tenants must be an array");
  CHECK(problem(R"({"tenants": [1]})") == "tenants[0] must be an object");
  CHECK(problem(R"({"tenants": [{}]})") == "tenants[0].id is missing");
  CHECK(problem(R"({"tenants": [{"id": 1}]})") == "tenants[0].id must be a string");
  CHECK(problem(R"({"tenants": [{"id": ""}]})").starts_with("tenants[0].id: tenant id must be"));
  CHECK(problem(R"({"tenants": [{"id": "a"}, {"id": "a"}]})") == "tenants[1].id is there twice");
  CHECK(problem(R"({"tenants": [{"id": "a", "plan": "x"}]})") ==
        "tenants[0].plan names a plan that is not in plans");
  CHECK(problem(R"({"tenants": [{"id": "a", "weight": "1"}]})") ==
        "tenants[0].weight must be a number");
  CHECK(problem(R"({"tenants": [{"id": "a", "weight": 0}]})") ==
        "tenants[0]: tenant weight must be a number above 0");
  CHECK(problem(R"({"tenants": [{"id": "a", "weight": 1e999}]})", Errc::malformed) ==
        "number out of range in JSON at byte 39");
  CHECK(problem(R"({"tenants": [{"id": "a", "max_queue": -1}]})")
            .starts_with("tenants[0].max_queue must"));
  CHECK(problem(R"({"tenants": [{"id": "a", "max_queue": 1.5}]})")
            .starts_with("tenants[0].max_queue must"));
  CHECK(problem(R"({"tenants": [{"id": "a", "max_in_flight": 4294967296}]})")
            .starts_with("tenants[0].max_in_flight must"));
  CHECK(problem(R"({"tenants": [{"id": "a", "scopes": "x"}]})") ==
        "tenants[0].scopes must be an array of strings");
  CHECK(problem(R"({"tenants": [{"id": "a", "scopes": ["x", 1]}]})") ==
        "tenants[0].scopes[1] must be a string");
  CHECK(problem(R"({"plans": []})") == "plans must be an object");
  CHECK(problem(R"({"plans": {"p": {"id": "a"}}})") == "plans.p.id is not known");
  CHECK(problem(R"({"plans": {"p": {"burst": 0}}})").starts_with("plans.p: tenant burst must"));
  CHECK(problem(R"({"unknown": "x"})") == "unknown names a plan that is not in plans");
  CHECK(problem(R"({"unknown": 1})") == "unknown must be a string");
  CHECK(problem(R"({"unknown": null})").empty());
}

TEST_CASE("a file that cannot be used at start is a configuration error on one line") {
  CHECK_THROWS_AS(FileTenantDirectory({.path = "/nonexistent/tenants.json"}), ConfigError);
  const TemporaryFile file("{\"a\nb\":1}");
  try {
    const FileTenantDirectory directory({.path = file.path()});
    FAIL("taken");
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    CHECK(message.starts_with(file.path()));
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK_THROWS_AS(FileTenantDirectory({.path = "/"}), ConfigError);
}

TEST_CASE("a file that is too large is not read to its end") {
  const TemporaryFile file("{\"tenants\": []}" + std::string(1000, ' '));
  CHECK_NOTHROW(FileTenantDirectory({.path = file.path()}));
  CHECK_THROWS_AS(FileTenantDirectory({.path = file.path(), .max_size = 100}), ConfigError);
}
