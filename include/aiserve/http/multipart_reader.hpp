/// MultipartReader: an upload (multipart/form-data) handled while it is received: files larger than
/// memory, part by part, with the back-pressure of the BodyReader beneath.
///
/// Give the route the max_body it needs. Limits and strictness are those of multipart().
/// *Thread safety:* the handler's I/O thread, one call at a time. The request and the BodyReader
/// outlive it.
/// *Errors:* those of BodyReader::read(); invalid_argument for another Content-Type, malformed,
/// too_large. After an error every call gives it again.
///
///     server.post("/upload", [&](const Context& ctx, const http::Request& request,
///                                http::BodyReader& body) -> Async<http::Response> {
///       http::MultipartReader parts(request, body);
///       for (;;) {
///         Result<bool> more = co_await parts.next();
///         if (!more) co_return more.error();
///         if (!*more) co_return http::no_content();
///         for (Bytes piece = (co_await parts.read()).value(); !piece.empty();
///              piece = (co_await parts.read()).value()) {
///           (co_await store(ctx, parts.head().name, piece)).value();
///         }
///       }
///     }, {.max_body = 10ULL << 30});
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/body_reader.hpp>
#include <aiserve/http/multipart.hpp>

#include <memory>

namespace aiserve::inline v0::http {

class MultipartReader {
 public:
  MultipartReader(const Request& request, BodyReader& body, const MultipartLimits& limits = {});
  ~MultipartReader();
  MultipartReader(const MultipartReader&) = delete;
  MultipartReader& operator=(const MultipartReader&) = delete;

  /// Goes to the next part, over what was not read of the one before. False behind the last, when
  /// the whole body has been received and was well-formed.
  Async<bool> next();
  /// Of the part that next() went to.
  const PartHead& head() const noexcept;
  /// A piece of its content, at least one byte; empty at its end.
  Async<Bytes> read();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::http
