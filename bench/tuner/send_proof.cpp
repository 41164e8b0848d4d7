#include "tuner/send_proof.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "tuner/parse.hpp"

namespace tuner {

std::int64_t SendProof::allowed_lag() const noexcept {
  return std::max<std::int64_t>(1'000'000, latency_p50 / 20);
}

std::string SendProof::failure() const {
  if (lag_p99 > allowed_lag()) {
    return fmt::format(
        "the offered rate of {:.0f}/s was not kept: 1 % of the requests were sent more than {} "
        "late ({} is allowed). Lower the rate, or give the sender a core of its own",
        offered_per_second, duration_text(static_cast<double>(lag_p99)),
        duration_text(static_cast<double>(allowed_lag())));
  }
  if (!overloaded && sent_per_second < 0.99 * offered_per_second) {
    return fmt::format("only {:.0f} of {:.0f} requests/s were sent ({:.1f} %)", sent_per_second,
                       offered_per_second, 100 * sent_per_second / offered_per_second);
  }
  return {};
}

}  // namespace tuner
