// SlowRequest: where the time of a request went, told when its last byte has left.
#pragma once

#include <optional>

#include "aiserve/core/context.hpp"
#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0 {
class Telemetry;
}

namespace aiserve::inline v0::http::detail {

struct Exchange;
struct Route;

// When a request came to each of its stations. Zero: it didn't.
struct RequestTimes {
  TimePoint first_byte{};
  TimePoint complete{};  // with its body, so that its handler began
  TimePoint answered{};  // what a stream sends comes after that
};

class SlowRequest {
 public:
  // Of an exchange whose response, or its last piece, is in the out buffer.
  explicit SlowRequest(Exchange& exchange);

  bool took(Duration limit, TimePoint now) const noexcept {
    return end(now) - times_.first_byte >= limit;
  }
  // A line in the log if it took `limit` or longer. `sent`: the last byte was taken by the peer;
  // else the connection ended before.
  void tell(Telemetry& telemetry, Duration limit, TimePoint now, bool sent) const noexcept;

 private:
  TimePoint end(TimePoint now) const noexcept { return streamed_ ? times_.answered : now; }

  const Route* route_;
  int status_;
  bool streamed_;  // its sending takes as long as it takes
  RequestTimes times_;
  std::optional<Context> context_;
};

}  // namespace aiserve::inline v0::http::detail
