/// ClientResponse: what a server has answered to an http::Client: any status from 200 to 599.
///
/// A body in gzip or deflate is decoded already; its Content-Encoding and Content-Length are gone.
/// *Thread safety:* a value.
///
///     if (answer->ok()) use(answer->text()); else log(answer->status(), answer->header("Date"));
#pragma once

#include <aiserve/core/bytes.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0::http {

class ClientResponse {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  ClientResponse(int status, Fields fields, Bytes body) noexcept
      : status_(status), fields_(std::move(fields)), body_(std::move(body)) {}

  int status() const noexcept { return status_; }
  /// 2xx
  bool ok() const noexcept { return status_ / 100 == 2; }
  /// The first field of that name, in whatever case; empty if there is none.
  std::string_view header(std::string_view name) const noexcept;
  /// In the order they came.
  const Fields& fields() const noexcept { return fields_; }
  const Bytes& body() const noexcept { return body_; }
  /// The body as characters; no encoding is checked.
  std::string_view text() const noexcept { return body_.text(); }

 private:
  int status_;
  Fields fields_;
  Bytes body_;
};

}  // namespace aiserve::inline v0::http
