/// BodyReader: the body of a request that is handled while it is received.
///
/// For a handler that takes an `http::BodyReader&` behind the Request: it runs when the head is
/// complete, and Request::body() stays empty. What was received and not read waits in a buffer of
/// `stream_buffer` bytes (ServerOptions, RouteOptions; up to one read of the socket more); while it
/// is full nothing more is read from the socket, so a slow handler slows its client down.
/// `Expect: 100-continue` is answered at the first read(). `max_body` holds as for any body;
/// `body_timeout` bounds the time that read() waits, all waits together.
/// A body in gzip or deflate is decoded as far as there is room in the buffer, up to `max_decoded`
/// bytes in all (CompressionOptions); another coding is 415.
/// What a handler leaves unread is dropped up to 64 KiB; with more, or of a chunked body, the
/// connection ends behind the answer.
/// *Thread safety:* the handler's I/O thread, one read() at a time.
/// *Errors:* read() gives the error of the Context when that ends first (`cancelled` with reason
/// client_gone, deadline_exceeded), malformed, too_large and deadline_exceeded when the body is
/// (the client has its 400, 413 or 408 then, whatever the handler returns), conflict while another
/// read() waits. A body that is not in its coding, or decodes to too much, gives malformed and
/// too_large, too, and the handler answers.
///
///     server.put("/files/{name}", [&](const Context& ctx, const http::Request& request,
///                                     http::BodyReader& body) -> Async<http::Response> {
///       for (;;) {
///         Result<Bytes> part = co_await body.read();
///         if (!part) co_return part.error();
///         if (part->empty()) break;
///         (co_await store(ctx, *part)).value();
///       }
///       co_return http::no_content();
///     });
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>

namespace aiserve::inline v0::http {

namespace detail {
class RequestBody;
}

class BodyReader {
 public:
  explicit BodyReader(detail::RequestBody& body) noexcept : body_(&body) {}
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;

  /// What has been received, at least one byte; empty at the end of the body, then again and again.
  Async<Bytes> read();

 private:
  detail::RequestBody* body_;
};

}  // namespace aiserve::inline v0::http
