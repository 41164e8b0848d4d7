/// Compression of bodies: content codings (RFC 9110 section 8.4), per server and per route.
///
/// Responses are compressed when their client accepts it (zstd, br, gzip: by the client's weights,
/// in this order among equals), when the type is listed and the size worth it. Left alone: what is
/// encoded already, partial content, `Cache-Control: no-transform`, streams. `Vary:
/// Accept-Encoding` goes with every response that might have been compressed; a strong ETag becomes
/// a weak one. Off by default: compressing secrets beside text that an attacker chooses gives away
/// the secrets by their length (BREACH, CVE-2013-3587), and it costs CPU of the I/O threads.
/// Requests in gzip or deflate are decoded before their handler sees them; Request::header() still
/// shows what was sent. An unknown coding is 415, one that decodes to too much 413, a broken one
/// 400. *Thread safety:* values; compressed() as any awaitable. *Errors:* ConfigError for options
/// out of range, at the Server's wiring.
///
///     http::Server server(runtime, {.compression = {.responses = true}});
///     server.get("/large", [&](const Context& ctx, const http::Request& request)
///                              -> Async<http::Response> {
///       http::Response response = http::json(make_megabytes());
///       co_return co_await http::compressed(runtime, ctx, request, std::move(response));
///     });
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/response.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace aiserve::inline v0::http {

class Request;

struct CompressionOptions {
  /// Compress responses.
  bool responses = false;
  /// Bytes below which a response goes as it is.
  std::size_t min_size = 1024;
  /// Bytes beyond which a response goes as it is, up to 16 MiB: they are compressed on the I/O
  /// thread, at about 10 ms per MiB (gzip), while its other connections wait. compressed() is for
  /// larger ones.
  std::size_t max_size = 256 * 1024;
  /// Media types: "text/html", "text/*", or "+json" for every type that ends so.
  std::vector<std::string> types = {"text/*",
                                    "application/json",
                                    "application/javascript",
                                    "application/xml",
                                    "application/wasm",
                                    "image/svg+xml",
                                    "+json",
                                    "+xml"};

  /// Decode requests; if not, a request with a Content-Encoding is 415.
  bool requests = true;
  /// Bytes a request may decode to, beyond it 413. max_body holds as well, before and after. Also
  /// on the I/O thread, at about 3 ms per MiB.
  std::size_t max_decoded = 4 * 1024 * 1024;
};

/// Compresses the body on the Runtime's CPU pool, of whatever size, if the client of `request`
/// accepts it and the type is in the default list; otherwise it gives the response back as it is.
/// A pool that is full does so, too. Errors: that of the Context.
Async<Response> compressed(Runtime& runtime, const Context& ctx, const Request& request,
                           Response response);

}  // namespace aiserve::inline v0::http
