#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"

using namespace aiserve;

namespace {
struct Flag : detail::CancelListener {
  Flag() : CancelListener(&Flag::called) {}
  static void called(CancelListener& self, CancelReason) noexcept {
    static_cast<Flag&>(self).calls.fetch_add(1);
  }
  std::atomic<int> calls{0};
};
}  // namespace

TEST_CASE("of many threads that cancel exactly one is the first") {
  for (int round = 0; round < 200; ++round) {
    const Context ctx{ContextOptions{}};
    std::atomic<int> first{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { first += ctx.cancel(CancelReason::user) ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(first == 1);
  }
}

TEST_CASE("after unlisten returns the listener is not called any more") {
  for (int round = 0; round < 2000; ++round) {
    const Context ctx{ContextOptions{}};
    std::thread canceller([&] { ctx.cancel(CancelReason::user); });
    int calls = 0;
    {
      Flag flag;
      if (ctx.listen(flag)) {
        ctx.unlisten(flag);
        calls = flag.calls;
      }
      CHECK(flag.calls == calls);
      CHECK(calls <= 1);
    }  // the flag is gone: a late call would be a use after free
    canceller.join();
  }
}

TEST_CASE("children may end while their parent is being cancelled") {
  for (int round = 0; round < 2000; ++round) {
    const Context parent{ContextOptions{}};
    std::thread canceller([&] { parent.cancel(CancelReason::shutdown); });
    for (int i = 0; i < 4; ++i) {
      const Context child = parent.child().child();
      if (parent.cancelled()) CHECK(parent.child().cancelled());
    }
    canceller.join();
    CHECK(parent.child().reason() == CancelReason::shutdown);
  }
}
