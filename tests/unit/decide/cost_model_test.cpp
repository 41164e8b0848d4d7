#include "decide/cost_model.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <random>
#include <set>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

using Curve = std::function<double(std::size_t)>;

Curve affine(double base, double per_row) {
  return [=](std::size_t n) { return base + per_row * static_cast<double>(n); };
}

/// A model on a curve, with seeded multiplicative noise.
class Model {
 public:
  Model(Curve curve, double noise, unsigned seed)
      : curve_(std::move(curve)), noise_(noise), random_(seed) {}

  Nanos run(std::size_t rows) {
    std::normal_distribution<double> normal(0, noise_);
    return std::llround(curve_(rows) * std::max(0.3, 1 + normal(random_)));
  }

  void becomes(Curve curve) { curve_ = std::move(curve); }
  std::size_t below(std::size_t n) { return random_() % n; }

 private:
  Curve curve_;
  double noise_;
  std::mt19937 random_;
};

void learn(CostModel& cost, Model& model, std::initializer_list<std::size_t> sizes, int times) {
  for (const std::size_t rows : sizes) {
    for (int i = 0; i < times; ++i) cost.observe(rows, model.run(rows));
  }
}

/// Batches under a queue that always holds `waiting` rows.
void saturate(CostModel& cost, Model& model, std::size_t limit, std::size_t waiting, int batches) {
  for (int i = 0; i < batches; ++i) {
    const std::size_t rows = std::min(waiting, cost.cap(limit, waiting));
    cost.observe(rows, model.run(rows));
  }
}

constexpr std::initializer_list<std::size_t> kSizes{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

double rate_of(const Curve& curve, std::size_t rows) {
  return static_cast<double>(rows) / curve(rows);
}

/// Size -> rows per second / the best up to the limit.
double share_of_best(const Curve& curve, std::size_t rows, std::size_t limit) {
  double best = 0;
  for (std::size_t n = 1; n <= limit; ++n) best = std::max(best, rate_of(curve, n));
  return rate_of(curve, rows) / best;
}

}  // namespace

TEST_CASE("an unknown model predicts nothing and lets one row go first") {
  CostModel cost;
  CHECK_FALSE(cost.known());
  CHECK(cost.mean(8) == 0);
  CHECK(cost.p95(8) == 0);
  CHECK(cost.rate(8) == 0);
  CHECK(cost.knee(64) == 1);
  CHECK(cost.cap(64, 1000) == 1);
  CHECK(cost.points().empty());
  CHECK(cost.fit().per_row_ns == 0);
}

TEST_CASE("times between observed sizes are interpolated, beyond them extrapolated") {
  CostModel cost;
  Model model(affine(200'000, 5'000), 0, 1);
  learn(cost, model, {4, 16, 64}, 3);
  for (const unsigned rows : {1u, 2u, 3u, 4u, 7u, 16u, 20u, 50u, 64u, 100u, 1000u}) {
    const double time = 200'000.0 + 5'000.0 * rows;
    CHECK(cost.mean(rows) == doctest::Approx(time).epsilon(0.001));
    CHECK(cost.rate(rows) == doctest::Approx(rows * 1e9 / time).epsilon(0.001));
  }
  CHECK(cost.fit().base_ns == doctest::Approx(200'000).epsilon(0.001));
  CHECK(cost.fit().per_row_ns == doctest::Approx(5'000).epsilon(0.001));
}

TEST_CASE(
    "one observed size bounds the others: fewer rows take no longer, more rows no more each") {
  CostModel cost;
  cost.observe(8, 800);
  CHECK(cost.mean(1) == 800);
  CHECK(cost.mean(8) == 800);
  CHECK(cost.mean(16) == 1600);
}

TEST_CASE("rows and times out of range are taken as the nearest in range") {
  CostModel cost;
  cost.observe(0, -5);
  cost.observe(1'000'000, 100);
  REQUIRE(cost.points().size() == 2);
  CHECK(cost.points()[0].rows == 1);
  CHECK(cost.points()[0].mean == 1);
  CHECK(cost.points()[1].rows == 65536);
  CHECK(cost.mean(0) == 1);
  CHECK(cost.mean(2'000'000) == 100);
}

TEST_CASE("a cell of mixed sizes lies on the curve") {
  CostModel cost;
  Model model(affine(100'000, 10'000), 0, 1);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t rows = 1 + model.below(200);
    cost.observe(rows, model.run(rows));
  }
  for (unsigned rows = 1; rows <= 200; ++rows) {
    CHECK(cost.mean(rows) == doctest::Approx(100'000.0 + 10'000.0 * rows).epsilon(0.01));
  }
}

TEST_CASE("predicted times never fall when rows grow, and p95 is never below the mean") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    CostModel cost;
    Model model(affine(100'000, seed % 3 * 1'000.0), 0.3, seed);
    for (int i = 0; i < 300; ++i) {
      const std::size_t rows = 1 + model.below(1 + model.below(300));
      cost.observe(rows, model.run(rows));
    }
    Nanos last = 0;
    for (std::size_t rows = 1; rows <= 600; ++rows) {
      const Nanos mean = cost.mean(rows);
      REQUIRE(mean >= last);
      REQUIRE(cost.p95(rows) >= mean);
      last = mean;
    }
  }
}

TEST_CASE("p95 covers about 95 of 100 batches of a noisy model") {
  for (const double noise : {0.03, 0.1, 0.2}) {
    CostModel cost;
    Model model(affine(200'000, 5'000), noise, 7);
    int covered = 0;
    for (int i = 0; i < 4000; ++i) {
      const Nanos took = model.run(16);
      if (i >= 100 && took <= cost.p95(16)) ++covered;
      cost.observe(16, took);
    }
    CHECK(covered > 3900 * 0.92);
    CHECK(covered < 3900 * 0.995);
  }
}

TEST_CASE("one outlier moves the mean by a bounded step and is forgotten") {
  CostModel cost;
  for (int i = 0; i < 20; ++i) cost.observe(8, 1000);
  cost.observe(8, 20'000);
  CHECK(cost.mean(8) <= 1130);
  CHECK(cost.p95(8) > 1130);
  for (int i = 0; i < 20; ++i) cost.observe(8, 1000);
  CHECK(cost.mean(8) <= 1015);
}

TEST_CASE("a slow first batch is forgotten after a few normal ones") {
  CostModel cost;
  cost.observe(8, 50'000);
  for (int i = 0; i < 6; ++i) cost.observe(8, 1000);
  CHECK(cost.mean(8) == doctest::Approx(1000).epsilon(0.05));
}

TEST_CASE("a model that became slower or faster is learned within 20 batches") {
  for (const double factor : {1.5, 3.0, 20.0, 0.6, 0.3, 0.05}) {
    CostModel cost;
    Model model(affine(200'000, 5'000), 0.05, 3);
    learn(cost, model, kSizes, 30);
    model.becomes(affine(200'000 * factor, 5'000 * factor));
    learn(cost, model, {32}, 20);
    CHECK(cost.mean(32) == doctest::Approx(360'000 * factor).epsilon(0.1));
  }
}

TEST_CASE("a large change of one size is expected of the sizes not seen since") {
  CostModel cost;
  Model model(affine(200'000, 5'000), 0.02, 5);
  learn(cost, model, kSizes, 20);
  for (const double factor : {3.0, 1.0}) {  // slower, and back
    model.becomes(affine(200'000 * factor, 5'000 * factor));
    learn(cost, model, {32}, 10);
    CHECK(cost.mean(1) == doctest::Approx(205'000 * factor).epsilon(0.15));
    CHECK(cost.mean(64) == doctest::Approx(520'000 * factor).epsilon(0.15));
  }
}

TEST_CASE("points and fit describe what was observed") {
  CostModel cost;
  Model model(affine(1'000'000, 50'000), 0.05, 9);
  learn(cost, model, {1, 8, 64}, 200);
  const auto points = cost.points();
  REQUIRE(points.size() == 3);
  CHECK(points[0].rows == 1);
  CHECK(points[1].rows == 8);
  CHECK(points[2].rows == 64);
  for (const CostPoint& point : points) {
    CHECK(point.count == 200);
    CHECK(point.mean == doctest::Approx(1e6 + 5e4 * static_cast<double>(point.rows)).epsilon(0.06));
    CHECK(point.p95 > point.mean);
  }
  CHECK(cost.fit().base_ns == doctest::Approx(1e6).epsilon(0.1));
  CHECK(cost.fit().per_row_ns == doctest::Approx(5e4).epsilon(0.1));
}

TEST_CASE("a fit has no negative part") {
  CostModel convex;
  Model quadratic([](std::size_t n) { return 100.0 * static_cast<double>(n * n); }, 0, 1);
  learn(convex, quadratic, {1, 8, 64}, 5);
  CHECK(convex.fit().base_ns >= 0);
  CHECK(convex.fit().per_row_ns > 0);
  CostModel flat;
  learn(flat, quadratic, {1}, 1);
  flat.observe(64, 50);
  CHECK(flat.fit().per_row_ns >= 0);
  CHECK(flat.fit().base_ns > 0);
}

TEST_CASE("a forgotten model is unknown again") {
  CostModel cost;
  cost.observe(8, 1000);
  cost.forget();
  CHECK_FALSE(cost.known());
  CHECK(cost.cap(64, 64) == 1);
}

TEST_CASE("the knee of a model that batching does not help is one row") {
  const Curve linear = affine(0, 100'000);
  const Curve harmful = [](std::size_t n) {
    return n == 1 ? 100'000.0 : 105'000.0 * static_cast<double>(n);
  };
  for (const Curve& curve : {linear, harmful}) {
    CostModel cost;
    Model model(curve, 0, 1);
    learn(cost, model, kSizes, 5);
    CHECK(cost.knee(64) == 1);
  }
}

TEST_CASE("the knee is the smallest size within 2 percent of the best") {
  CostModel cost;
  Model model(affine(200'000, 5'000), 0, 1);
  learn(cost, model, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}, 40);
  CHECK(cost.knee(8192) == 2048);  // 40 + 2048 of 40 + 8192 per-row times: 1.5 % above the best
  CHECK(cost.knee(256) == 256);
  CHECK(cost.knee(64) == 64);
  CHECK(cost.knee(100) == 64);
  CHECK(cost.knee(1) == 1);
  CHECK(cost.knee(0) == 1);
}

TEST_CASE("a limit between two cells is a size of its own") {
  CostModel cost;
  Model model(affine(200'000, 5'000), 0, 1);
  learn(cost, model, {1, 4, 16, 40}, 10);
  CHECK(cost.knee(40) == 40);
  CHECK(cost.cap(40, 400) == 40);
}

TEST_CASE("an unknown model is probed by doubling, as far as the queue allows") {
  CostModel cost;
  Model model(affine(200'000, 5'000), 0, 1);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 7; ++i) {
    sizes.push_back(cost.cap(64, 1000));
    cost.observe(sizes.back(), model.run(sizes.back()));
  }
  CHECK(sizes == std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64});

  CostModel starved;
  for (int i = 0; i < 100; ++i) {
    const std::size_t rows = std::min<std::size_t>(5, starved.cap(64, 5));
    CHECK(rows <= 4);
    starved.observe(rows, model.run(rows));
  }
}

TEST_CASE("no cap is above the limit or below one row") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    CostModel cost;
    Model model(affine(100'000, seed * 1'000.0), 0.2, seed);
    for (int i = 0; i < 2000; ++i) {
      const std::size_t limit = model.below(90);
      const std::size_t waiting = 1 + model.below(200);
      const std::size_t rows = cost.cap(limit, waiting);
      REQUIRE(rows >= 1);
      REQUIRE(rows <= std::max<std::size_t>(limit, 1));
      cost.observe(std::min(rows, waiting), model.run(rows));
    }
  }
}

TEST_CASE("under load the learned cap does 96 percent of the best size's work, on any curve") {
  const std::vector<Curve> curves{
      affine(200'000, 5'000),
      affine(2'000'000, 20'000),
      affine(20'000, 20'000),
      affine(0, 50'000),
      affine(50'000, 0),
      [](std::size_t n) { return n == 1 ? 1e5 : 1.05e5 * static_cast<double>(n); },
      [](std::size_t n) { return 1e5 + 1e4 * static_cast<double>((n + 7) / 8 * 8); },
      [](std::size_t n) { return 1e5 + 5e3 * std::max(static_cast<double>(n), 16.0); },
      [](std::size_t n) { return 2e5 + 1e4 * std::pow(static_cast<double>(n), 1.3); },
      [](std::size_t n) { return 1e5 * std::pow(static_cast<double>(n), 0.7); }};
  for (const double noise : {0.0, 0.05, 0.1}) {
    for (unsigned which = 0; which < curves.size(); ++which) {
      for (unsigned seed = 0; seed < 5; ++seed) {
        CAPTURE(noise);
        CAPTURE(which);
        CAPTURE(seed);
        CostModel cost;
        Model model(curves[which], noise, seed);
        saturate(cost, model, 64, 200, 2000);
        double rows = 0;
        double time = 0;
        for (int i = 0; i < 4000; ++i) {
          const std::size_t n = cost.cap(64, 200);
          cost.observe(n, model.run(n));
          rows += static_cast<double>(n);
          time += curves[which](n);
        }
        double best = 0;
        for (std::size_t n = 1; n <= 64; ++n) best = std::max(best, rate_of(curves[which], n));
        CHECK(rows / time >= 0.96 * best);
      }
    }
  }
}

TEST_CASE("noise does not make the knee wander") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    CostModel cost;
    Model model(affine(200'000, 10'000), 0.1, seed);
    saturate(cost, model, 64, 200, 3000);
    int moves = 0;
    std::size_t last = cost.knee(64);
    for (int i = 0; i < 10'000; ++i) {
      saturate(cost, model, 64, 200, 1);
      if (cost.knee(64) != last) ++moves;
      last = cost.knee(64);
    }
    CAPTURE(seed);
    CHECK(moves <= 4);
    CHECK(share_of_best(affine(200'000, 10'000), last, 64) >= 0.95);
  }
}

TEST_CASE("sizes beyond the knee are tried rarely") {
  CostModel cost;
  Model model([](std::size_t n) { return n == 1 ? 1e5 : 1.05e5 * static_cast<double>(n); }, 0.03,
              2);
  saturate(cost, model, 64, 500, 3000);
  int above = 0;
  for (int i = 0; i < 2560; ++i) {
    const std::size_t rows = cost.cap(64, 500);
    if (rows > 1) ++above;
    cost.observe(rows, model.run(rows));
  }
  CHECK(above >= 5);
  CHECK(above <= 10);
}

TEST_CASE("a knee learned from slow first batches is corrected") {
  const Curve harmful = [](std::size_t n) {
    return n == 1 ? 100'000.0 : 110'000.0 * static_cast<double>(n);
  };
  CostModel cost;
  Model model(harmful, 0.02, 4);
  cost.observe(1, 2'000'000);
  saturate(cost, model, 64, 500, 3000);
  CHECK(cost.knee(64) == 1);
}

TEST_CASE("a curve that changes its shape moves the knee") {
  CostModel cost;
  Model model([](std::size_t n) { return n == 1 ? 1e5 : 1.05e5 * static_cast<double>(n); }, 0.03,
              6);
  saturate(cost, model, 64, 500, 3000);
  REQUIRE(cost.knee(64) == 1);
  const Curve helpful = affine(90'000, 10'000);
  model.becomes(helpful);
  saturate(cost, model, 64, 500, 5000);
  CHECK(share_of_best(helpful, cost.knee(64), 64) >= 0.95);
}
