// What a ClientStream reads from.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/client_stream.hpp"
#include "http/client/client_exchange.hpp"

namespace aiserve::inline v0::http {

class ClientStream::Impl {
 public:
  explicit Impl(std::unique_ptr<detail::ClientExchange> exchange) noexcept
      : exchange_(std::move(exchange)) {}

  const detail::ResponseHead& head() const noexcept { return exchange_->head(); }
  Async<Bytes> read(const Context& ctx);

 private:
  std::unique_ptr<detail::ClientExchange> exchange_;
  std::optional<Error> error_;
};

}  // namespace aiserve::inline v0::http
