/// BodyWriter: the body of a response that is produced while it is sent.
///
/// For a handler `Async<void>(const Context&, const http::Request&, http::BodyWriter&)`. What is
/// written waits in a buffer of `stream_buffer` bytes (ServerOptions, RouteOptions) until the
/// client has taken it; write() ends when there is room, so a slow client slows its handler down
/// and costs no more memory. The response ends when the handler does. An error before the first
/// byte is answered like that of any handler; after it the body is cut off where a client notices:
/// without its last chunk, and the connection ends.
/// On HTTP/1.1 the body is chunked, on 1.0 it ends with the connection, unless its length is named.
/// HEAD gets the head: the first write() sends it and says `cancelled`.
/// *Thread safety:* the handler's I/O thread, one write() at a time.
/// *Errors:* write() gives the error of the Context when that ends first (`cancelled` with reason
/// client_gone or slow_client, deadline_exceeded), `cancelled` when nobody reads the body,
/// invalid_argument beyond the length that was named, conflict while another write() waits.
///
///     server.get("/export", [&](const Context&, const http::Request&,
///                               http::BodyWriter& stream) -> Async<void> {
///       for (const Bytes& part : parts) {
///         if (Result<void> sent = co_await stream.write(part); !sent) co_return sent;
///       }
///       co_return success();
///     });
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/http/response.hpp>

#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::http {

namespace detail {
class ResponseBody;
}

class BodyWriter {
 public:
  explicit BodyWriter(detail::ResponseBody& body) noexcept : body_(&body) {}
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  /// Status and fields of the response, sent with the first byte. Default: 200 and
  /// application/octet-stream. Errors: conflict when it has been sent, invalid_argument when the
  /// response has a body of its own.
  Result<void> head(Response response);
  /// The same with a Content-Length: exactly that many bytes must follow, or the connection ends.
  Result<void> head(Response response, std::uint64_t content_length);

  /// Ends when the bytes are in the buffer; nothing is copied. A piece larger than the buffer is
  /// taken when the buffer is empty. An empty piece sends the head.
  Async<void> write(Bytes data);
  /// The same for a copy of the text.
  Async<void> write(std::string_view text) { return write(Bytes::copy(text)); }

 private:
  detail::ResponseBody* body_;
};

}  // namespace aiserve::inline v0::http
