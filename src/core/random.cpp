#include "core/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include <sys/random.h>

namespace aiserve::inline v0::detail {
namespace {

using Block = std::array<std::uint32_t, 16>;

void quarter_round(Block& x, std::size_t a, std::size_t b, std::size_t c, std::size_t d) noexcept {
  x[a] += x[b];
  x[d] = std::rotl(x[d] ^ x[a], 16);
  x[c] += x[d];
  x[b] = std::rotl(x[b] ^ x[c], 12);
  x[a] += x[b];
  x[d] = std::rotl(x[d] ^ x[a], 8);
  x[c] += x[d];
  x[b] = std::rotl(x[b] ^ x[c], 7);
}

// RFC 8439 section 2.3 with 8 rounds (D. J. Bernstein, "ChaCha, a variant of Salsa20").
Block chacha8(const Block& input) noexcept {
  Block x = input;
  for (int round = 0; round < 4; ++round) {
    quarter_round(x, 0, 4, 8, 12);
    quarter_round(x, 1, 5, 9, 13);
    quarter_round(x, 2, 6, 10, 14);
    quarter_round(x, 3, 7, 11, 15);
    quarter_round(x, 0, 5, 10, 15);
    quarter_round(x, 1, 6, 11, 12);
    quarter_round(x, 2, 7, 8, 13);
    quarter_round(x, 3, 4, 9, 14);
  }
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += input[i];
  return x;
}

void fill_from_system(void* data, std::size_t size) noexcept {
  auto* at = static_cast<std::byte*>(data);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;  // no getrandom: the time and the address below still differ
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

class Stream {
 public:
  Stream() noexcept {
    constexpr std::array<std::uint32_t, 4> kSigma{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    std::memcpy(input_.data(), kSigma.data(), sizeof(kSigma));
    const auto ticks =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    std::memcpy(&input_[4], &ticks, sizeof(ticks));
    std::memcpy(&input_[6], &address, sizeof(address));
    fill_from_system(&input_[4], 8 * sizeof(std::uint32_t));
  }

  void seed(std::uint64_t seed) noexcept {
    std::fill(input_.begin() + 4, input_.end(), 0);
    std::memcpy(&input_[4], &seed, sizeof(seed));
    used_ = kWords;
  }

  std::uint64_t next() noexcept {
    if (used_ == kWords) refill();
    std::uint64_t word;
    std::memcpy(&word, &output_[2 * used_], sizeof(word));
    ++used_;
    return word;
  }

 private:
  static constexpr std::size_t kWords = 8;

  void refill() noexcept {
    output_ = chacha8(input_);
    if (++input_[12] == 0) ++input_[13];
    used_ = 0;
  }

  Block input_{};
  Block output_{};
  std::size_t used_ = kWords;
};

Stream& stream() noexcept {
  thread_local Stream own;
  return own;
}

}  // namespace

std::uint64_t random_u64() noexcept { return stream().next(); }

void seed_random(std::uint64_t seed) noexcept { stream().seed(seed); }

}  // namespace aiserve::inline v0::detail
