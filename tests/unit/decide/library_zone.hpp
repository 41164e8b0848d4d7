// LibraryZone: what the C library thinks of a time zone, a judge that is independent of ours.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include <doctest/doctest.h>

namespace zone_test {

/// Sets TZ, a name or a rule, while it lives.
class LibraryZone {
 public:
  explicit LibraryZone(const char* zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    set(zone);
  }
  ~LibraryZone() { set(before_.c_str()); }
  LibraryZone(const LibraryZone&) = delete;
  LibraryZone& operator=(const LibraryZone&) = delete;

  long offset(std::int64_t instant) const {
    const std::time_t time = instant;
    std::tm local{};
    REQUIRE(localtime_r(&time, &local) != nullptr);
    return local.tm_gmtoff;
  }

 private:
  static void set(const char* zone) {
    *zone == '\0' ? unsetenv("TZ") : setenv("TZ", zone, 1);
    tzset();
  }

  std::string before_;
};

}  // namespace zone_test
