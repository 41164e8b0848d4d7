#include <aiserve/core/bounded_label.hpp>
#include <aiserve/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

using aiserve::BoundedCounter;
using aiserve::BoundedLabel;

namespace {

std::map<std::string, std::uint64_t> as_map(const BoundedCounter& counter) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [label, count] : counter.values()) {
    CHECK(counts.emplace(label, count).second);  // no label twice
  }
  return counts;
}

std::uint64_t total(const BoundedCounter& counter) {
  std::uint64_t sum = 0;
  for (const auto& value : counter.values()) sum += value.count;
  return sum;
}

std::string tenant(std::size_t rank) { return "tenant-" + std::to_string(rank); }

// Ranks 0, 1, 2 ... drawn with a probability that falls as 1 / (rank + 1).
class Zipf {
 public:
  explicit Zipf(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) weights_.push_back(1.0 / static_cast<double>(i + 1));
    draw_ = std::discrete_distribution<std::size_t>(weights_.begin(), weights_.end());
  }
  std::size_t operator()(std::mt19937_64& random) { return draw_(random); }

 private:
  std::vector<double> weights_{};
  std::discrete_distribution<std::size_t> draw_{};
};

}  // namespace

TEST_CASE("the first values get a name, later ones count as other") {
  BoundedLabel label({.top = 2});
  BoundedCounter counter(label);
  counter.inc("a");
  counter.inc("b", 5);
  counter.inc("c", 7);
  CHECK(as_map(counter) == std::map<std::string, std::uint64_t>{{"a", 1}, {"b", 5}, {"other", 7}});
  CHECK(label.values() == std::vector<std::string>{"other", "a", "b"});
}

TEST_CASE("of 10,000 tenants the 100 largest are named, nothing is lost, memory stays bounded") {
  constexpr std::size_t kTenants = 10'000;
  constexpr std::uint64_t kRequests = 500'000;
  BoundedLabel label;
  BoundedCounter requests(label);
  BoundedCounter rejected(label);
  std::mt19937_64 random(3);
  Zipf zipf(kTenants);
  // The small ones come first and take all the names.
  for (std::size_t rank = kTenants; rank-- > 0;) requests.inc(tenant(rank));
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const auto slot = label.slot(tenant(zipf(random)));
    requests.inc(slot);
    if (i % 10 == 0) rejected.inc(slot, 2);
  }
  CHECK(total(requests) == kTenants + kRequests);
  CHECK(total(rejected) == kRequests / 5);
  CHECK(label.values().size() == 101);

  const auto counts = as_map(requests);
  std::size_t named = 0;
  for (std::size_t rank = 0; rank < 100; ++rank) named += counts.count(tenant(rank));
  for (std::size_t rank = 0; rank < 40; ++rank) {
    CAPTURE(rank);
    CHECK(counts.contains(tenant(rank)));
  }
  CHECK(named >= 80);
}

TEST_CASE("10,000 equal tenants, in turn or by chance, do not fight for names") {
  BoundedLabel label;
  BoundedCounter counter(label);
  std::mt19937_64 random(4);
  std::set<std::string> ever;
  for (std::size_t i = 0; i < 300'000; ++i) {
    counter.inc(tenant(i % 2 == 0 ? i / 2 % 10'000 : random() % 10'000));
    if (i % 10'000 == 0) {
      for (const std::string& value : label.values()) ever.insert(value);
    }
  }
  CHECK(total(counter) == 300'000);
  CHECK(ever.size() < 400);
}

TEST_CASE("a tenant that grows takes the name of the smallest, whose count moves to other") {
  BoundedLabel label({.top = 2});
  BoundedCounter counter(label);
  for (int i = 0; i < 50; ++i) counter.inc("big");
  for (int i = 0; i < 5; ++i) counter.inc("small");
  for (int i = 0; i < 20; ++i) counter.inc("new");
  const auto counts = as_map(counter);
  CHECK(counts.contains("big"));
  CHECK_FALSE(counts.contains("small"));
  CHECK(counts.contains("new"));
  CHECK(counts.at("big") == 50);
  CHECK(counts.at("other") >= 5);
  CHECK(total(counter) == 75);
}

TEST_CASE("traffic ages: those that were large once make room") {
  BoundedLabel label({.top = 1, .half_life = 100});
  BoundedCounter counter(label);
  for (int i = 0; i < 10'000; ++i) counter.inc("old");
  for (int i = 0; i < 1'000; ++i) counter.inc("young");
  CHECK(as_map(counter).contains("young"));
  CHECK_FALSE(as_map(counter).contains("old"));
  CHECK(total(counter) == 11'000);
}

TEST_CASE("a tenant cannot pose as other, and the empty one has a name") {
  BoundedLabel label({.top = 3});
  BoundedCounter counter(label);
  counter.inc("other", 2);
  counter.inc("", 3);
  counter.inc("anonymous", 4);
  counter.inc(std::string(10'000, 'x'), 5);
  CHECK(as_map(counter) == std::map<std::string, std::uint64_t>{{"other", 7}, {"anonymous", 7}});
}

TEST_CASE("a counter that comes later starts at zero for all, one that goes leaves the others") {
  BoundedLabel label({.top = 1});
  auto first = std::make_unique<BoundedCounter>(label);
  first->inc("a", 5);
  BoundedCounter second(label);
  second.inc("a");
  first.reset();
  for (int i = 0; i < 50; ++i) second.inc("b");
  CHECK(total(second) == 51);
}

TEST_CASE("options out of range are configuration errors") {
  CHECK_THROWS_AS(BoundedLabel({.top = 0}), aiserve::ConfigError);
  CHECK_THROWS_AS(BoundedLabel({.top = 10'001}), aiserve::ConfigError);
  CHECK_THROWS_AS(BoundedLabel({.half_life = 0}), aiserve::ConfigError);
}
