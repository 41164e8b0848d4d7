#include <aiserve/core/id.hpp>

#include <algorithm>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using aiserve::Id;

TEST_CASE("ids of many threads differ and each thread's ascend") {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kIds = 5000;
  std::vector<std::vector<Id>> made(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (std::size_t i = 0; i < kIds; ++i) mine.push_back(Id::generate());
    });
  }
  for (auto& thread : threads) thread.join();

  std::vector<Id> all;
  for (const auto& mine : made) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(all.size() == kThreads * kIds);
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}
