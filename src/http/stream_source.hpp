// StreamSource: where the body of a response comes from that is produced while it is sent.
#pragma once

#include <cstddef>
#include <string>

#include "aiserve/core/context.hpp"

namespace aiserve::inline v0::http::detail {

class StreamSource {
 public:
  StreamSource() = default;
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  virtual ~StreamSource() = default;

  enum class State { open, ended, overflowed };
  // Appends what is there, at least one piece and no more pieces than needed to pass `at_least`
  // bytes. The connection's thread only.
  virtual State pull(std::string& out, std::size_t at_least) = 0;
  // What to send when nothing else was for a while; empty: nothing.
  virtual std::string_view heartbeat() const noexcept = 0;
  // The sending side ends: what waits still goes out.
  virtual void close() noexcept = 0;
  // Nobody will pull any more.
  virtual void gone(CancelReason reason) noexcept = 0;
};

}  // namespace aiserve::inline v0::http::detail
