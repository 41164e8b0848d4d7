// A quota under eight clients on four threads.
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/quota.hpp"
#include "aiserve/storage/memory_key_value_store.hpp"
#include "unit/http/host.hpp"

namespace aiserve::http {
namespace {

constexpr int kClients = 8;
constexpr int kEach = 100;
constexpr int kQuota = 500;

TEST_CASE("eight clients on four threads get exactly what the quota gives") {
  Host host({}, 4);
  MemoryKeyValueStore store;
  Quota quota(store, {.limits = {.per_month = kQuota}});
  host.server.around(http::quota(quota, [](const Context&, const Request&) { return "all"; }));
  host.server.get("/", [](const Context&, const Request&) { return text("x"); });
  host.runtime.start();
  std::atomic<int> allowed{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  threads.reserve(kClients);
  for (int t = 0; t < kClients; ++t) {
    threads.emplace_back([&] {
      RawClient client = host.client();
      for (int i = 0; i < kEach; ++i) {
        const int status = client.get("/").status;
        if (status == 200) ++allowed;
        if (status == 429) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(allowed.load() == kQuota);
  CHECK(refused.load() == kClients * kEach - kQuota);
}

}  // namespace
}  // namespace aiserve::http
