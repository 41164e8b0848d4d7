#include "http/client/client_stream.hpp"

#include <utility>

#include "http/client/patience.hpp"

namespace aiserve::inline v0::http {

Async<Bytes> ClientStream::Impl::read(const Context& ctx) {
  if (error_) co_return *error_;
  std::string text;
  const Result<bool> more = co_await exchange_->more(ctx, text);
  if (more.ok()) co_return Bytes::adopt(std::move(text));
  if (!detail::is_over(ctx)) error_ = more.error();
  co_return more.error();
}

ClientStream::ClientStream(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ClientStream::ClientStream(ClientStream&&) noexcept = default;
ClientStream& ClientStream::operator=(ClientStream&&) noexcept = default;
ClientStream::~ClientStream() = default;

int ClientStream::status() const noexcept { return impl_->head().status; }

std::string_view ClientStream::header(std::string_view name) const noexcept {
  return impl_->head().field(name);
}

Async<Bytes> ClientStream::read(const Context& ctx) { return impl_->read(ctx); }

}  // namespace aiserve::inline v0::http
