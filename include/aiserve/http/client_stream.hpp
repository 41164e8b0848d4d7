/// ClientStream: an answer whose body is read piece by piece, with back-pressure: what is not read
/// is not taken from the network beyond a few buffers.
///
/// Destroying it before the end closes the connection. It ends before its Client and its Runtime.
/// *Thread safety:* the I/O thread it was opened on, one read() at a time.
/// *Errors:* read() gives what Client::send() gives for a body: unavailable, too_large,
/// deadline_exceeded without a byte for `stall_timeout`; after such an error the same again. Those
/// of the Context end the read only: with another Context it goes on, unless a source of the
/// request's body has failed with it.
///
///     Result<http::ClientStream> stream = co_await client.open(ctx, request);
///     for (;;) {
///       Result<Bytes> part = co_await stream->read(ctx);
///       if (!part) co_return part.error();
///       if (part->empty()) break;
///       use(*part);
///     }
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>

#include <memory>
#include <string_view>

namespace aiserve::inline v0::http {

class ClientStream {
 public:
  class Impl;
  explicit ClientStream(std::unique_ptr<Impl> impl) noexcept;
  ClientStream(ClientStream&&) noexcept;
  ClientStream& operator=(ClientStream&&) noexcept;
  ~ClientStream();

  int status() const noexcept;
  /// 2xx
  bool ok() const noexcept { return status() / 100 == 2; }
  /// The first field of that name, in whatever case; empty if there is none.
  std::string_view header(std::string_view name) const noexcept;
  /// What has come, at least one byte; empty at the end of the body, then again and again.
  Async<Bytes> read(const Context& ctx);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::http
