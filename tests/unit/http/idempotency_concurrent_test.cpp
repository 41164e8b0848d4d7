// One key from eight clients on four threads at once.
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/idempotency.hpp"
#include "aiserve/storage/memory_idempotency_store.hpp"
#include "unit/http/host.hpp"

namespace aiserve::http {
namespace {

constexpr int kClients = 8;
constexpr int kEach = 32;

TEST_CASE("however many ask at once on however many threads, there is one effect per key") {
  Host host({}, 4);
  MemoryIdempotencyStore runs;
  std::atomic<int> effects{0};
  host.server.around(idempotent(runs));
  host.server.post("/pay", [&](const Context&, const Request&) -> Async<Response> {
    co_return text(std::to_string(++effects)).status(201);
  });
  host.runtime.start();
  std::atomic<int> unexpected{0};
  std::vector<std::thread> threads;
  threads.reserve(kClients);
  for (int t = 0; t < kClients; ++t) {
    threads.emplace_back([&] {
      RawClient client = host.client();
      for (int i = 0; i < kEach; ++i) {
        const Reply reply = client.ask("POST /pay HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k" +
                                       std::to_string(i) + "\r\nContent-Length: 0\r\n\r\n");
        if (reply.status != 201 && reply.status != 409) ++unexpected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(effects.load() == kEach);
  CHECK(unexpected.load() == 0);
}

}  // namespace
}  // namespace aiserve::http
