#include <aiserve/core/id.hpp>

#include <set>
#include <string>
#include <thread>
#include <unordered_set>

#include <doctest/doctest.h>

using aiserve::Id;
using aiserve::WallTime;
using namespace std::chrono_literals;

namespace {
// Later than the machine's clock, which other ids of this thread came from.
constexpr WallTime kTime{std::chrono::milliseconds(8'000'000'000'123)};
}  // namespace

TEST_CASE("the text of an id is the ULID form of its number") {
  // The example of the ULID specification has this time part.
  CHECK(Id(0, 0).to_string() == "00000000000000000000000000");
  CHECK(Id(~0ULL, ~0ULL).to_string() == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(Id(1469918176385ULL << 16, 1).to_string() == "01ARYZ6S410000000000000001");
}

TEST_CASE("an id survives the way through its text, in either case") {
  for (int i = 0; i < 1000; ++i) {
    const Id id = Id::generate();
    std::string text = id.to_string();
    CHECK(Id::parse(text) == id);
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    CHECK(Id::parse(text) == id);
  }
}

TEST_CASE("text that is no id is refused") {
  CHECK_FALSE(Id::parse(""));
  CHECK_FALSE(Id::parse("01ARYZ6S41000000000000000"));    // 25 characters
  CHECK_FALSE(Id::parse("01ARYZ6S4100000000000000011"));  // 27
  CHECK_FALSE(Id::parse("01ARYZ6S4100000000000000I1"));   // I, L, O and U are no digits
  CHECK_FALSE(Id::parse("01ARYZ6S4100000000000000-1"));
  CHECK_FALSE(Id::parse("80000000000000000000000000"));  // above 2^128
  CHECK_FALSE(Id::parse(std::string(26, '\xff')));
}

TEST_CASE("an id tells when it was made") {
  std::thread([] {  // a thread without earlier ids
    CHECK(Id::generate(kTime).time() == kTime);
    CHECK(Id::generate(kTime + 1h + 999us).time() == kTime + 1h);
  })
      .join();
}

TEST_CASE("ids of one thread ascend, as numbers and as text, also in one millisecond") {
  Id last = Id::generate(kTime + 2h);
  std::string last_text = last.to_string();
  for (int i = 0; i < 200'000; ++i) {  // more than one millisecond has sequence numbers
    const Id id = Id::generate(kTime + 2h);
    REQUIRE(id > last);
    last = id;
  }
  CHECK(last.to_string() > last_text);
  CHECK(last.time() < kTime + 2h + 10ms);
}

TEST_CASE("ids ascend although the wall clock steps back") {
  const Id late = Id::generate(kTime + 48h);
  CHECK(Id::generate(kTime) > late);
  CHECK(Id::generate() > late);
}

TEST_CASE("the tails of ids do not repeat") {
  std::set<std::uint64_t> tails;
  for (int i = 0; i < 10'000; ++i) tails.insert(Id::generate().low());
  CHECK(tails.size() == 10'000);
}

TEST_CASE("ids hash") {
  std::unordered_set<Id> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(Id::generate());
  CHECK(ids.size() == 1000);
  CHECK_FALSE(Id());
  CHECK(Id::generate());
  CHECK(aiserve::make_id().size() == 26);
}
