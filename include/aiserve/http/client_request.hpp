/// ClientRequest: what an http::Client is to ask for.
///
/// The framing is the client's: Content-Length, Transfer-Encoding, Connection, Host and the like
/// cannot be set. A field that could not go over the wire as one field (CR, LF, NUL or another
/// control character, a name that is no token) makes send() fail with invalid_argument.
/// *Thread safety:* a value.
///
///     http::ClientRequest request(http::Method::post, "https://models.example/v1/embed");
///     request.body(text, "application/json").header("X-Model", "small").idempotency_key(id);
///     Result<http::ClientResponse> answer = co_await client.send(ctx, request);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/http/method.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0::http {

/// A body that is made while it is sent, piece by piece: of a file, or of what comes from
/// elsewhere.
struct ClientBody {
  /// The next piece; an empty one: there is no more. Called on the call's I/O thread, with the
  /// Context of the call, or of the read() that goes on with it, one at a time, when the piece
  /// before was taken by the network; an error ends the call, also one of that Context. While it
  /// works the answer is not read: what it waits for must not be the answer.
  std::function<Async<Bytes>(const Context&)> next;
  /// Goes back to the beginning. Default: that is not possible; then a call is neither repeated nor
  /// redirected with its body once next() was called, and uses a connection of its own.
  std::function<Result<void>()> rewind{};
  /// Bytes in all; what else next() gives is an error. Default: not known, sent in chunks.
  std::optional<std::uint64_t> length{};
};

class ClientRequest {
 public:
  struct Field {
    std::string name;
    std::string value;
    bool secret;  ///< goes to the origin that was asked, to no other
  };

  /// `url` is absolute: "https://a.example/v1?x=1". Nothing is checked before it is sent.
  ClientRequest(Method method, std::string url) : method_(method), url_(std::move(url)) {}

  /// Sets a field; one that was set before under that name goes. Authorization, Cookie and
  /// Proxy-Authorization are credentials.
  ClientRequest& header(std::string_view name, std::string_view value);
  /// A field that redirects to another origin don't get: an API key, say.
  ClientRequest& credential(std::string_view name, std::string_view value);
  /// Authorization: Bearer
  ClientRequest& bearer(std::string_view token);
  /// Appends name=value to the query, encoded as an HTML form is.
  ClientRequest& query(std::string_view name, std::string_view value);
  ClientRequest& body(Bytes bytes, std::string_view content_type);
  ClientRequest& body(std::string text, std::string_view content_type) {
    return body(Bytes::adopt(std::move(text)), content_type);
  }
  ClientRequest& body(ClientBody source, std::string_view content_type);
  /// Idempotency-Key: promises that a repetition has no second effect, so that this request may be
  /// repeated whatever its method.
  ClientRequest& idempotency_key(std::string_view key);
  /// False: this call is made once, on a connection of its own, whatever the client's retries are.
  ClientRequest& retries(bool allowed) {
    retries_ = allowed;
    return *this;
  }
  /// The whole call. Default: the client's.
  ClientRequest& timeout(std::chrono::milliseconds timeout) {
    timeout_ = timeout;
    return *this;
  }
  /// Bytes of the answer's body. Default: the client's.
  ClientRequest& max_body(std::size_t bytes) {
    max_body_ = bytes;
    return *this;
  }

  Method method() const noexcept { return method_; }
  const std::string& url() const noexcept { return url_; }
  const std::vector<Field>& fields() const noexcept { return fields_; }
  const std::vector<std::pair<std::string, std::string>>& queries() const noexcept {
    return queries_;
  }
  const Bytes& body() const noexcept { return body_; }
  /// Null: the body is body().
  const ClientBody* source() const noexcept { return source_ ? &*source_ : nullptr; }
  bool has_body() const noexcept { return source_.has_value() || !body_.empty(); }
  bool retries() const noexcept { return retries_; }
  std::optional<std::chrono::milliseconds> timeout() const noexcept { return timeout_; }
  std::optional<std::size_t> max_body() const noexcept { return max_body_; }
  /// A repetition changes nothing: by its method (RFC 9110 section 9.2.2) or by its key.
  bool idempotent() const noexcept;

 private:
  ClientRequest& set(std::string_view name, std::string_view value, bool secret);

  Method method_;
  std::string url_;
  std::vector<Field> fields_;
  std::vector<std::pair<std::string, std::string>> queries_;
  Bytes body_;
  std::optional<ClientBody> source_;
  bool retries_ = true;
  std::optional<std::chrono::milliseconds> timeout_;
  std::optional<std::size_t> max_body_;
};

}  // namespace aiserve::inline v0::http
