#include <aiserve/core/tenant_directory.hpp>

#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "test_paths.hpp"

using aiserve::FileTenantDirectory;
using aiserve::StaticTenantDirectory;
using aiserve::Tenant;
using aiserve::TenantDirectory;
using aiserve::TenantId;

namespace {

const TenantId kAcme("acme");

// Looks acme up on two threads while `change` runs; each tenant found is whole: plan and weight
// belong together.
template <class Change>
void look_up_while(const TenantDirectory& directory, Change change) {
  std::atomic<bool> done{false};
  std::atomic<bool> torn{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const Tenant tenant = directory.find(kAcme).value();
        if ((tenant.plan() == "pro") != (tenant.weight() == 4)) torn = true;
      }
    });
  }
  for (int i = 0; i < 200; ++i) change(i);
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK_FALSE(torn);
}

}  // namespace

TEST_CASE("look-ups see a whole tenant while it is changed in code") {
  StaticTenantDirectory directory({{.id = kAcme}});
  look_up_while(directory, [&directory](int i) {
    if (i % 2 == 0) {
      CHECK(directory.put({.id = kAcme, .plan = "pro", .weight = 4}).ok());
    } else {
      CHECK(directory.put({.id = kAcme}).ok());
    }
  });
}

TEST_CASE("look-ups see a whole tenant while its file is reloaded") {
  const TemporaryFile file(R"({"tenants": [{"id": "acme"}]})");
  FileTenantDirectory directory({.path = file.path()});
  look_up_while(directory, [&](int i) {
    file.write(
        i % 2 == 0
            ? R"({"plans": {"pro": {"weight": 4}}, "tenants": [{"id": "acme", "plan": "pro"}]})"
            : R"({"tenants": [{"id": "acme"}]})");
    CHECK(directory.reload().ok());
  });
}
