// Who asks for what: Zipf-distributed keys, drawn before anything is measured.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "rivals/cache_store.hpp"

namespace bench {

/// Ranks 0 to n - 1, rank r with a probability in proportion to 1 / (r + 1)^s (Hörmann and
/// Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
/// 1996).
class Zipf {
 public:
  Zipf(std::uint64_t n, double s)
      : n_(static_cast<double>(n)), s_(s), low_(h(1.5) - 1), high_(h(n_ + 0.5)) {}

  template <class Random>
  std::uint64_t operator()(Random& random) {
    std::uniform_real_distribution<double> uniform(low_, high_);
    for (;;) {
      const double u = uniform(random);
      const double x = inverse(u);
      const double k = std::min(std::max(std::floor(x + 0.5), 1.0), n_);
      if (u >= h(k + 0.5) - std::exp(-s_ * std::log(k))) return static_cast<std::uint64_t>(k) - 1;
    }
  }

 private:
  double h(double x) const { return std::expm1((1 - s_) * std::log(x)) / (1 - s_); }
  double inverse(double u) const { return std::exp(std::log1p(u * (1 - s_)) / (1 - s_)); }

  double n_;
  double s_;
  double low_;
  double high_;
};

struct Operation {
  std::uint32_t key : 31;
  std::uint32_t put : 1;
};

/// `count` operations over `keys` keys, Zipf 0.99, one in ten a put.
inline std::vector<Operation> draw_operations(std::size_t count, std::size_t keys,
                                              std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Zipf zipf(keys, 0.99);
  std::vector<Operation> operations;
  operations.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto key = static_cast<std::uint32_t>(zipf(random));
    operations.push_back({key & 0x7fffffff, random() % 10 == 0});
  }
  return operations;
}

inline std::vector<CacheKey16> random_keys(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<CacheKey16> keys(count);
  for (CacheKey16& key : keys) {
    for (const std::size_t at : {0u, 8u}) {
      const std::uint64_t word = random();
      std::memcpy(key.data() + at, &word, sizeof(word));
    }
  }
  return keys;
}

}  // namespace bench
