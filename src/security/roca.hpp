// ROCA (CVE-2017-15361): RSA keys of a broken generator, whose factors can be found.
#pragma once

#include <openssl/bn.h>

namespace aiserve::inline v0::detail {

/// By the fingerprint of Nemec, Sys, Svenda, Klinec and Matyas, "The Return of Coppersmith's
/// Attack" (2017), section 3: such a modulus is a power of 65537 modulo every small prime. Of sound
/// keys one in 2^27 or fewer is.
bool has_roca_fingerprint(const BIGNUM* modulus);

}  // namespace aiserve::inline v0::detail
