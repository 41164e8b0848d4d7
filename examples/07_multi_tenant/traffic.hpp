// Three tenants and what they ask for. Two come back to a few thousand keys, the popular ones more
// often; in the middle third a third tenant scans through keys that nobody asks for twice.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>

namespace example {

struct Request {
  int tenant;  // index into kTenants
  std::string key;
};

inline constexpr const char* kTenants[] = {"search", "support", "scanner"};
inline constexpr int kScanner = 2;

class Traffic {
 public:
  /// The scanner sends `noise` of the requests while it is there.
  Request next(bool scanner, double noise) {
    if (scanner && part() < noise) return {kScanner, "page " + std::to_string(scanned_++)};
    const int tenant = part() < 0.5 ? 0 : 1;
    const double keys = tenant == 0 ? 3000 : 6000;
    return {tenant, "question " + std::to_string(static_cast<int>(std::pow(keys, part())))};
  }

 private:
  double part() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  std::mt19937 random_{7};
  std::uint64_t scanned_ = 0;
};

}  // namespace example
