// A noisy neighbour: three tenants that come back to what they asked for, and a scanner that never
// does, with 40 % of the requests. Who asks for what is drawn, who hits is up to the cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

#include "cache/workload.hpp"

namespace bench {

inline constexpr std::size_t kNeighbourTenants = 4;
inline constexpr std::size_t kScanner = 3;
inline constexpr std::array kNeighbourNames{"small", "medium", "large", "scanner"};

struct NeighbourRequest {
  std::size_t tenant;
  std::uint32_t key;
};

class Neighbours {
 public:
  static constexpr std::array<std::size_t, kNeighbourTenants> kKeys{12'000, 40'000, 120'000,
                                                                    4'000'000};

  explicit Neighbours(std::uint64_t seed) : random_(seed) {}

  NeighbourRequest next() {
    const std::uint64_t die = random_() % 100;
    if (die < 40) {
      scan_ = scan_ + 1 == kKeys[kScanner] ? 0 : scan_ + 1;
      return {kScanner, scan_};
    }
    const std::size_t tenant = (die - 40) / 20;
    return {tenant, static_cast<std::uint32_t>(zipf_[tenant](random_))};
  }

 private:
  std::mt19937_64 random_;
  std::uint32_t scan_ = 0;
  std::array<Zipf, 3> zipf_{Zipf(kKeys[0], 0.7), Zipf(kKeys[1], 0.8), Zipf(kKeys[2], 0.9)};
};

}  // namespace bench
