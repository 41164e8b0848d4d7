#include "decide/length_buckets.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include <doctest/doctest.h>

using aiserve::decide::LengthBuckets;

namespace {

using Lengths = std::vector<std::int64_t>;

bool sound(const LengthBuckets& buckets) {
  const Lengths& edges = buckets.edges();
  return !edges.empty() && edges.size() <= LengthBuckets::kMaxEdges && edges.front() >= 1 &&
         std::adjacent_find(edges.begin(), edges.end(), std::greater_equal<>()) == edges.end();
}

/// What rows of these lengths are filled up with when padded to their edges.
std::int64_t padding(const LengthBuckets& buckets, const Lengths& lengths) {
  std::int64_t sum = 0;
  for (const std::int64_t length : lengths) {
    sum += buckets.edge(buckets.bucket_of(length)) - length;
  }
  return sum;
}

/// Mostly short, some long, as sentences are.
Lengths sentences(std::size_t count, double median, unsigned seed) {
  std::mt19937 random(seed);
  std::lognormal_distribution<double> draw(std::log(median), 0.6);
  Lengths lengths(count);
  for (std::int64_t& length : lengths) {
    length = std::max<std::int64_t>(1, static_cast<std::int64_t>(draw(random)));
  }
  return lengths;
}

int observe(LengthBuckets& buckets, const Lengths& lengths) {
  int changes = 0;
  for (const std::int64_t length : lengths) changes += buckets.observe(length) ? 1 : 0;
  return changes;
}

}  // namespace

TEST_CASE("given edges stay, and a length goes to the first edge that is not below it") {
  LengthBuckets buckets({16, 32, 128});
  CHECK_FALSE(buckets.learned());
  CHECK(buckets.bucket_of(1) == 0);
  CHECK(buckets.bucket_of(16) == 0);
  CHECK(buckets.bucket_of(17) == 1);
  CHECK(buckets.bucket_of(128) == 2);
  CHECK(buckets.bucket_of(129) == 3);
  CHECK(buckets.edge(1) == 32);
  CHECK(buckets.edge(3) == 0);
  CHECK(observe(buckets, sentences(5000, 20, 1)) == 0);
  CHECK(buckets.edges() == Lengths{16, 32, 128});
}

TEST_CASE("unknown traffic starts with three steps an octave") {
  const LengthBuckets buckets;
  CHECK(buckets.learned());
  CHECK(sound(buckets));
  CHECK(std::equal(buckets.edges().begin(), buckets.edges().begin() + 8,
                   Lengths{8, 10, 12, 16, 20, 24, 32, 40}.begin()));
  for (std::int64_t length = 8; length < 1'000'000; length += 1 + length / 50) {
    const std::int64_t edge = buckets.edge(buckets.bucket_of(length));
    REQUIRE(edge >= length);
    CHECK(static_cast<double>(edge) < 1.34 * static_cast<double>(length));
  }
}

TEST_CASE("every length has the one bucket that its edges say, given or learned") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    Lengths edges;
    if (seed % 2 == 0) {
      for (int i = 0; i < 20; ++i) edges.push_back(1 + static_cast<std::int64_t>(random() % 5000));
      std::sort(edges.begin(), edges.end());
      edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    }
    LengthBuckets buckets(edges);
    if (edges.empty()) observe(buckets, sentences(4096, 5.0 + seed, seed));
    REQUIRE(sound(buckets));
    for (int i = 0; i < 500; ++i) {
      const auto length = 1 + static_cast<std::int64_t>(random() % 6000);
      const std::uint32_t bucket = buckets.bucket_of(length);
      REQUIRE(bucket <= buckets.edges().size());
      if (bucket > 0) CHECK(buckets.edge(bucket - 1) < length);
      if (bucket < buckets.edges().size()) CHECK(buckets.edge(bucket) >= length);
    }
  }
}

TEST_CASE("learned edges pad less than the steps they began with") {
  for (const double median : {12.0, 60.0, 400.0, 5000.0}) {
    const LengthBuckets fresh;
    LengthBuckets buckets;
    for (unsigned seed = 0; seed < 8; ++seed) observe(buckets, sentences(1024, median, seed));
    const Lengths later = sentences(1024, median, 99);
    CHECK(padding(buckets, later) <= padding(fresh, later));
  }
}

TEST_CASE("a few fixed lengths become edges and pad nothing") {
  LengthBuckets buckets;
  Lengths lengths;
  for (int i = 0; i < 2048; ++i) lengths.push_back(i % 3 == 0 ? 77 : i % 3 == 1 ? 300 : 513);
  CHECK(observe(buckets, lengths) == 1);
  CHECK(padding(buckets, lengths) == 0);
}

TEST_CASE("edges stay where they are while the traffic does") {
  LengthBuckets buckets;
  int late = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const int changes = observe(buckets, sentences(1024, 50, seed));
    if (seed >= 10) late += changes;
  }
  CHECK(late <= 9);
}

TEST_CASE("edges follow traffic that changes, and longer requests find a bucket at once") {
  LengthBuckets buckets;
  for (unsigned seed = 0; seed < 4; ++seed) observe(buckets, sentences(1024, 20, seed));
  const Lengths longer = sentences(1024, 2000, 7);
  for (const std::int64_t length : longer) {
    const std::int64_t edge = buckets.edge(buckets.bucket_of(length));
    REQUIRE(edge >= length);
    CHECK(edge <= std::max<std::int64_t>(500, length * 3 / 2));
  }
  const std::int64_t before = padding(buckets, longer);
  for (unsigned seed = 10; seed < 14; ++seed) observe(buckets, sentences(1024, 2000, seed));
  CHECK(padding(buckets, longer) <= before);
  CHECK(sound(buckets));
}

TEST_CASE("lengths beyond every edge have a bucket without an edge") {
  LengthBuckets buckets;
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK(buckets.bucket_of(huge) == buckets.edges().size());
  CHECK(buckets.edge(buckets.bucket_of(huge)) == 0);
  for (int i = 0; i < 3000; ++i) buckets.observe(huge + i);
  CHECK(sound(buckets));
  CHECK(buckets.edge(buckets.bucket_of(huge)) >= huge);
}
