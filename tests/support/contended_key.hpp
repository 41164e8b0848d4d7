// What real threads do to one key of a KeyValueStore at the same time, and what must come of it.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/storage/key_value_store.hpp"

namespace aiserve::inline v0::testing {

class ContendedKey {
 public:
  static constexpr int kThreads = 4;

  ContendedKey(Runtime& runtime, KeyValueStore& store) : runtime_(runtime), store_(store) {}

  /// Each thread counts so far, by compare and set until it has succeeded that often.
  void count_in_turn(int each) {
    in_threads([&] {
      for (int done = 0; done < each;) done += count_one() ? 1 : 0;
    });
    CHECK(text() == std::to_string(kThreads * each));
  }
  /// Each thread adds 1 so often; together they may add `most` only.
  void add_up_to(int most, int each) {
    REQUIRE(most < kThreads * each);
    const AddOptions options{.at_most = most};
    std::atomic<int> added{0};
    in_threads([&] {
      for (int n = 0; n < each; ++n) {
        const auto sum = block_on(runtime_, store_.add(Context::background(), key_, 1, options));
        if (sum.ok() && sum->added) ++added;
      }
    });
    CHECK(added.load() == most);
    CHECK(text() == std::to_string(most));
  }

 private:
  template <class F>
  static void in_threads(const F& each) {
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(each);
    for (std::thread& thread : threads) thread.join();
  }
  std::optional<Versioned> get() {
    return block_on(runtime_, store_.get(Context::background(), key_)).value();
  }
  std::string text() {
    const auto value = get();
    return value ? value->value().to_string() : "nothing";
  }
  bool count_one() {
    const auto old = get();
    const int count = old ? std::stoi(old->value().to_string()) : 0;
    const PutOptions same{.if_version = old ? old->version() : PutOptions::kAbsent};
    const Bytes value = Bytes::copy(std::to_string(count + 1));
    return block_on(runtime_, store_.put(Context::background(), key_, value, same)).ok();
  }

  Runtime& runtime_;
  KeyValueStore& store_;
  const StoreKey key_{TenantId("t"), "contended"};
};

}  // namespace aiserve::inline v0::testing
