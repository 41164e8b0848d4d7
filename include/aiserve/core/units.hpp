/// Literals for sizes in bytes: 64_KiB, 256_MiB, 2_GiB. Of namespace aiserve, so that
/// `using namespace aiserve;` or `using namespace aiserve::literals;` brings them.
///
///     Cache cache(runtime, {.capacity = 256_MiB});
#pragma once

#include <cstddef>

namespace aiserve::inline v0 {
inline namespace literals {

constexpr std::size_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr std::size_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr std::size_t operator""_GiB(unsigned long long n) { return n << 30; }

}  // namespace literals
}  // namespace aiserve::inline v0
