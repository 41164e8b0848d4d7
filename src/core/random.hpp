/// Unguessable random numbers without a lock: one ChaCha8 stream per thread, keyed by getrandom(2).
///
/// For ids and jitter; keys and secrets come from OpenSSL. Forking repeats the parent's stream.
/// *Thread safety:* any thread.
#pragma once

#include <cstdint>

namespace aiserve::inline v0::detail {

std::uint64_t random_u64() noexcept;
/// This thread's numbers are those of the seed from now on: for simulations that can be repeated.
void seed_random(std::uint64_t seed) noexcept;

}  // namespace aiserve::inline v0::detail
