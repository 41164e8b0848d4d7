/// Response: what a handler answers with: status, header fields, body.
///
/// Framing is the server's: Content-Length, Transfer-Encoding, Connection and Date cannot be set.
/// A field that could not go over the wire as one field (CR, LF, NUL or another control character,
/// a name that is no token, a framing field) turns the whole response into a 500 with a line in
/// the log: what a handler copies from its input cannot split a response.
/// *Thread safety:* a value.
///
///     return http::json(R"({"id":7})").status(201).header("Location", "/v1/jobs/7");
#pragma once

#include <aiserve/core/bytes.hpp>
#include <aiserve/core/error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {
class Context;
class Tensor;
}  // namespace aiserve::inline v0

namespace aiserve::inline v0::http {

namespace detail {
class ResponseWriter;
struct ResponseExtra;
}  // namespace detail

class Response {
 public:
  /// 200 with an empty body.
  Response() noexcept = default;
  explicit Response(int status) noexcept : status_(status) {}

  int status() const noexcept { return status_; }
  /// 200 to 599; anything else is answered with 500.
  Response& status(int status) & noexcept {
    status_ = status;
    return *this;
  }
  Response status(int status) && noexcept {
    status_ = status;
    return std::move(*this);
  }

  /// Sets a field; one that was set before under that name goes.
  Response& header(std::string_view name, std::string_view value) &;
  Response header(std::string_view name, std::string_view value) && {
    return std::move(header(name, value));
  }
  /// Adds a field beside those of the same name (Set-Cookie, Link).
  Response& add_header(std::string_view name, std::string_view value) &;
  Response add_header(std::string_view name, std::string_view value) && {
    return std::move(add_header(name, value));
  }
  /// The first field of that name, in whatever case; empty if there is none.
  std::string_view header(std::string_view name) const noexcept;

  /// Takes the text over. `content_type` must live for the whole program (a literal).
  Response& body(std::string text, std::string_view content_type) & noexcept;
  Response& body(Bytes bytes, std::string_view content_type) & noexcept;
  std::string_view body() const noexcept;

 private:
  friend class detail::ResponseWriter;
  void set_content_type(std::string_view content_type) noexcept;

  int status_ = 200;
  std::string_view fault_;  // why the response cannot be sent
  std::string_view content_type_;
  std::string fields_;  // "Name: value\r\n" each
  std::string text_;
  Bytes bytes_;                                         // the body, if not empty
  std::shared_ptr<const detail::ResponseExtra> extra_;  // null of nearly all
};

/// text/plain; charset=utf-8
Response text(std::string body);
/// text/html; charset=utf-8
Response html(std::string body);
/// application/json of text that is JSON already.
Response json(std::string encoded);
inline Response json(std::string_view encoded) { return json(std::string(encoded)); }
inline Response json(const char* encoded) { return json(std::string(encoded)); }
/// {"dtype":"float32","shape":[2,3],"data":[...]}; NaN and infinities become null.
Response json(const Tensor& tensor);
/// application/octet-stream, without copying.
Response bytes(Bytes body);
/// 204
Response no_content();
/// 303 See Other: go there with GET.
Response see_other(std::string_view location);

/// An error as application/problem+json (RFC 9457): type, title, status, detail, request_id, and
/// Retry-After if the Error names a delay. Handlers just return the Error.
Response problem(const Context& ctx, const Error& error);
/// The same for a status that has no Errc (405, 415, 426).
Response problem(const Context& ctx, int status, std::string_view detail);

}  // namespace aiserve::inline v0::http
