// The little HTTP/1.1 that a load generator needs: a URL, one request, the end of a response. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tuner/target.hpp"

namespace tuner {

/// http://HOST[:PORT][/PATH]
struct Url {
  std::string host;
  std::uint16_t port = 80;
  std::string path = "/";

  friend bool operator==(const Url&, const Url&) = default;
};
/// Throws UsageError.
Url parse_url(std::string_view text);

/// A POST on a connection that stays open. `header` is empty or one "Name: value".
std::string post_request(const Url& url, std::string_view content_type, std::string_view body,
                         std::string_view header = {});

/// The response at the start of what has been received.
struct ResponseText {
  std::size_t size = 0;  // head and body; 0: not all there yet
  int status = 0;
  bool keeps_open = true;
  std::string_view body{};
};
/// Throws std::runtime_error for what is no HTTP/1.1 response with a Content-Length.
ResponseText read_response(std::string_view received);

/// 2xx ok; 429 and 503 refused; 504 expired; all else failed. The batch is read where the body says
/// "batch":{..."size":N,"position":P}, as the reference service does.
Answer answer_of(const ResponseText& response) noexcept;

}  // namespace tuner
