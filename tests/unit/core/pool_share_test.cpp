#include "core/pool_share.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace aiserve;
using detail::PoolShare;

namespace {

/// Takes a place for each of its calls, one after the other.
struct User final : PoolShare::User {
  User(std::string& order, std::string names) : begun(order), calls(std::move(names)) {}
  PoolShare::Use take_place() override {
    if (calls.empty()) return PoolShare::Use::none;
    begun += calls.front();
    calls.erase(0, 1);
    return calls.empty() ? PoolShare::Use::taken : PoolShare::Use::taken_and_more_wanted;
  }

  std::string& begun;
  std::string calls;
};

}  // namespace

TEST_CASE("users of a share have places in turn, however much each of them wants") {
  std::string begun;
  const auto greedy = std::make_shared<User>(begun, "abcd");
  const auto modest = std::make_shared<User>(begun, "1");
  PoolShare share(1);
  share.want(greedy);
  CHECK(begun == "a");
  share.want(modest);
  share.want(greedy);  // which has its turn already
  CHECK(begun == "a");
  for (const char* then : {"ab", "ab1", "ab1c", "ab1cd"}) {
    CHECK_FALSE(share.has_free());
    share.release();
    CHECK(begun == then);
  }
  share.release();
  CHECK(share.has_free());
}

TEST_CASE("all places of a share are given, and no more") {
  std::string begun;
  const auto user = std::make_shared<User>(begun, "abc");
  PoolShare share(2);
  share.want(user);
  CHECK(begun == "ab");
  CHECK_FALSE(share.has_free());
}

TEST_CASE("whoever is gone, or wants nothing any more, keeps no place from others") {
  std::string begun;
  const auto first = std::make_shared<User>(begun, "a");
  auto gone = std::make_shared<User>(begun, "x");
  const auto content = std::make_shared<User>(begun, "y");
  const auto last = std::make_shared<User>(begun, "b");
  PoolShare share(1);
  for (const auto& user : {first, gone, content, last}) share.want(user);
  gone.reset();
  content->calls.clear();
  share.release();
  CHECK(begun == "ab");
  share.release();
  CHECK(share.has_free());
}
