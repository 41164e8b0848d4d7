// BodySink: where the body of a request goes that is handled while it is received.
#pragma once

#include <string_view>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {

class BodySink {
 public:
  BodySink() = default;
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;
  virtual ~BodySink() = default;

  virtual void put(std::string_view piece) = 0;
  // The last piece was put.
  virtual void end() = 0;
  // The rest will not come.
  virtual void fail(Error error) = 0;
  // Holds as much as it may: put no more before the connection is woken.
  virtual bool full() const noexcept = 0;
  // The handler waits for more.
  virtual bool wanted() const noexcept = 0;
};

}  // namespace aiserve::inline v0::http::detail
