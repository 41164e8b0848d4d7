// StreamSource: where the body of a response comes from that is produced while it is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/context.hpp"

namespace aiserve::inline v0::http::detail {

class StreamSource {
 public:
  StreamSource() = default;
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  virtual ~StreamSource() = default;

  enum class State {
    open,
    ended,
    failed,     // what was pulled goes out, then the body is cut off
    overflowed  // the client doesn't read fast enough
  };
  // Appends what is there, as much as should leave at once. The connection's thread only; what was
  // pulled before has left by then.
  virtual State pull(std::vector<Bytes>& pieces) = 0;
  // Of the whole body, if it is known before its head is written.
  virtual std::optional<std::uint64_t> length() const noexcept { return std::nullopt; }
  // What to send when nothing else was for a while; empty: nothing.
  virtual std::string_view heartbeat() const noexcept { return {}; }
  // Nobody will pull any more.
  virtual void gone(CancelReason reason) noexcept = 0;
};

}  // namespace aiserve::inline v0::http::detail
