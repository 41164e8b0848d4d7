#include "core/recycling_allocator.hpp"

#include <array>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace aiserve::detail {
namespace {

struct Thing {
  std::array<char, 100> bytes{};
};

std::shared_ptr<Thing> make() { return std::allocate_shared<Thing>(RecyclingAllocator<Thing>()); }

TEST_CASE("what a thread frees it allocates again, a bounded number of pieces") {
  RecycledPieces pieces;
  std::vector<void*> memory;
  for (std::size_t i = 0; i <= RecycledPieces::kMost; ++i) memory.push_back(::operator new(64));
  for (std::size_t i = 0; i < RecycledPieces::kMost; ++i) CHECK(pieces.give(memory[i]));
  CHECK_FALSE(pieces.give(memory.back()));
  ::operator delete(memory.back());
  std::set<void*> taken;
  for (int i = 0; i < 10; ++i) taken.insert(pieces.take());
  CHECK(taken.size() == 10);
  CHECK_FALSE(taken.contains(nullptr));
  for (void* const piece : taken) CHECK(pieces.give(piece));
  pieces.close();
  CHECK(pieces.take() == nullptr);
  void* const late = ::operator new(64);
  CHECK_FALSE(pieces.give(late));
  ::operator delete(late);
}

TEST_CASE("objects may be freed on another thread, and after it") {
  std::vector<std::shared_ptr<Thing>> things;
  std::thread maker([&] {
    for (int i = 0; i < 2000; ++i) things.push_back(make());
  });
  maker.join();
  std::thread([taken = std::move(things)]() mutable { taken.clear(); }).join();
  const auto again = make();
  CHECK(again->bytes[99] == 0);
}

}  // namespace
}  // namespace aiserve::detail
