#include "tuner/http_text.hpp"

#include <charconv>
#include <stdexcept>

#include <fmt/core.h>
#include <strings.h>

#include "tuner/parse.hpp"
#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

std::string_view value_of(std::string_view head, std::string_view name) {
  for (const std::string_view line : split(head, '\n')) {
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with('\r') || value.ends_with(' ')) value.remove_suffix(1);
    return value;
  }
  return {};
}

// The digits right after `name`; `missing` if it is not there.
std::uint32_t number_after(std::string_view text, std::string_view name, std::uint32_t missing) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return missing;
  std::uint32_t value = missing;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
  return value;
}

Outcome outcome_of(int status) noexcept {
  if (status >= 200 && status < 300) return Outcome::ok;
  if (status == 429 || status == 503) return Outcome::refused;
  return status == 504 ? Outcome::expired : Outcome::failed;
}

}  // namespace

Url parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) {
    throw UsageError(fmt::format("--url: \"{}\" does not begin with http://", text));
  }
  const std::string_view rest = text.substr(kScheme.size());
  const std::string_view authority = rest.substr(0, rest.find('/'));
  Url url;
  if (authority.size() < rest.size()) url.path = rest.substr(authority.size());
  const std::size_t colon = authority.find(':');
  url.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    url.port = static_cast<std::uint16_t>(
        parse_whole(authority.substr(colon + 1), "--url, port", 1, 65'535));
  }
  if (url.host.empty()) throw UsageError(fmt::format("--url: \"{}\" names no host", text));
  return url;
}

std::string post_request(const Url& url, std::string_view content_type, std::string_view body,
                         std::string_view header) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}{}\r\n{}",
      url.path, url.host, url.port, content_type, body.size(), header, header.empty() ? "" : "\r\n",
      body);
}

ResponseText read_response(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (received.size() > 65'536) throw std::runtime_error("a response head over 64 KiB");
    return {};
  }
  const std::string_view head = received.substr(0, end);
  if (!head.starts_with("HTTP/1.1 ")) throw std::runtime_error("the answer is not HTTP/1.1");
  const std::string_view length = value_of(head, "content-length");
  std::size_t body = 0;
  const auto parsed = std::from_chars(length.data(), length.data() + length.size(), body);
  if (length.empty() || parsed.ec != std::errc()) {
    throw std::runtime_error("a response has no Content-Length");
  }
  const std::size_t size = end + 4 + body;
  if (received.size() < size) return {};
  const auto status = number_after(head, "HTTP/1.1 ", 0);
  return {size, static_cast<int>(status), value_of(head, "connection") != "close",
          received.substr(end + 4, body)};
}

Answer answer_of(const ResponseText& response) noexcept {
  Answer answer{outcome_of(response.status), 0, false};
  const std::size_t batch = response.body.find("\"batch\":{");
  if (batch == std::string_view::npos) return answer;
  const std::string_view rest = response.body.substr(batch);
  answer.batch_rows = number_after(rest, "\"size\":", 0);
  answer.leads_batch = answer.batch_rows != 0 && number_after(rest, "\"position\":", 1) == 0;
  return answer;
}

}  // namespace tuner
