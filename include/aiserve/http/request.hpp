/// Request: one request as its handler sees it: checked, decoded once, complete with its body.
///
/// It lives until its handler has ended; every view it gives out lives as long. Handlers that are
/// coroutines may keep views over their awaits. What outlives the handler takes a copy, or, for
/// the body, body_bytes().
/// *Thread safety:* const access from any thread while the handler runs.
/// *Errors:* tensor() gives invalid_argument.
///
///     server.post("/v1/{model}", [&](const Context& ctx, const http::Request& request) {
///       return http::text(std::string(request.param("model")) + " got " +
///                         std::to_string(request.body().size()) + " bytes\n");
///     });
#pragma once

#include <aiserve/core/bytes.hpp>
#include <aiserve/core/result.hpp>
#include <aiserve/http/method.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {
class Clock;
class Tensor;
class Shape;
enum class DType : std::uint8_t;
}  // namespace aiserve::inline v0

namespace aiserve::inline v0::http {

struct ClientCertificate;

namespace detail {
struct RequestState;
}

class Request {
 public:
  explicit Request(const detail::RequestState& state) noexcept : state_(&state) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const noexcept;
  /// Decoded exactly once and free of tricks: no ".", "..", empty or encoded-slash segments, no
  /// backslash, no control character, valid UTF-8. What routes and prefixes are compared with.
  std::string_view path() const noexcept;
  /// The request target as it was sent.
  std::string_view target() const noexcept;
  /// The pattern of the route, "/v1/{model}": few distinct values, fit for metric labels.
  std::string_view route() const noexcept;
  /// Host and port the client asked for; empty only on HTTP/1.0.
  std::string_view host() const noexcept;
  /// Who the connection comes from: "192.0.2.1", "2001:db8::1", or "unix" for a unix socket. With
  /// ServerOptions::proxy_protocol whom the proxy speaks for.
  std::string_view peer() const noexcept;
  /// Who asks: the peer, or, if that is a trusted proxy, the last address in what the proxies say
  /// (ServerOptions::forwarded_by) that is not a trusted proxy itself. What a client makes up
  /// stands before that and is never looked at.
  std::string_view client() const noexcept;
  /// "https" or "http", as this connection is or as a trusted proxy says of the client's.
  std::string_view scheme() const noexcept;
  /// Who the client is by its verified TLS certificate; null if it showed none.
  const ClientCertificate* client_certificate() const noexcept;

  /// That of the server's Runtime: what hooks measure by, so that they need no Runtime themselves.
  const Clock& clock() const noexcept;

  /// The value of a path parameter, decoded; empty if the route has none of that name.
  std::string_view param(std::string_view name) const noexcept;
  /// The value of an {name:int} parameter; 0 if the route has none of that name.
  std::int64_t int_param(std::string_view name) const noexcept;

  /// What stands behind '?', undecoded.
  std::string_view query() const noexcept;
  /// The first value of a query parameter, decoded as an HTML form is; nothing if it isn't there.
  std::optional<std::string> query(std::string_view name) const;

  /// The first field of that name, in whatever case; empty if there is none.
  std::string_view header(std::string_view name) const noexcept;
  bool has_header(std::string_view name) const noexcept;
  std::size_t header_count() const noexcept;
  /// Field `i` in the order they came. Precondition: i < header_count().
  std::pair<std::string_view, std::string_view> header_at(std::size_t i) const noexcept;
  /// The media type of the body in lower case without parameters: "application/json".
  std::string content_type() const;

  ByteView body() const noexcept;
  /// The body as characters; no encoding is checked.
  std::string_view text() const noexcept;
  /// The body as something to keep; copies only what still lies in the read buffer.
  Bytes body_bytes() const;
  /// The body as a tensor of raw elements in host byte order. The Content-Type must be
  /// application/octet-stream or absent, the length must fit the shape exactly.
  Result<Tensor> tensor(DType dtype, const Shape& shape) const;
  /// The same as uint8 with one dimension.
  Result<Tensor> tensor() const;

 private:
  const detail::RequestState* state_;
};

}  // namespace aiserve::inline v0::http
