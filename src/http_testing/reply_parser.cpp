#include "http_testing/reply_parser.hpp"

#include <algorithm>
#include <charconv>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kEnd = "\r\n";

std::string_view take_line(std::string_view& text, std::string_view end) noexcept {
  const std::size_t at = text.find(end);
  const std::string_view line = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return line;
}

std::size_t number(std::string_view text, int base) noexcept {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// True when the last chunk has come.
bool unchunk(std::string_view bytes, std::string& body) {
  for (;;) {
    if (bytes.find(kEnd) == std::string_view::npos) return false;
    const std::size_t size = number(take_line(bytes, kEnd), 16);
    if (size == 0) return true;
    body.append(bytes.substr(0, size));
    if (bytes.size() < size + kEnd.size()) return false;
    bytes.remove_prefix(size + kEnd.size());
  }
}

bool is_informational(std::string_view bytes) noexcept {
  return bytes.size() > 9 && bytes[9] == '1' && !bytes.starts_with("HTTP/1.1 101");
}

}  // namespace

ParsedReply parse_reply(std::string_view bytes, bool ended, bool bodiless) {
  ParsedReply parsed;
  std::size_t end = bytes.find("\r\n\r\n");
  while (is_informational(bytes) && end != std::string_view::npos) {  // 100 Continue
    bytes.remove_prefix(end + 4);
    end = bytes.find("\r\n\r\n");
  }
  if (end == std::string_view::npos) return parsed;
  parsed.head = true;
  std::string_view head = bytes.substr(0, end);
  std::string_view body = bytes.substr(end + 4);
  parsed.reply.status = static_cast<int>(number(take_line(head, kEnd).substr(9, 3), 10));
  while (!head.empty()) {
    const std::string_view line = take_line(head, kEnd);
    const std::size_t colon = std::min(line.find(": "), line.size());
    parsed.reply.fields.emplace_back(line.substr(0, colon),
                                     line.substr(std::min(colon + 2, line.size())));
  }
  const std::string_view length = parsed.reply.header("Content-Length");
  if (bodiless || parsed.reply.status == 204 || parsed.reply.status == 304) {
    parsed.complete = true;
  } else if (parsed.reply.header("Transfer-Encoding") == "chunked") {
    parsed.complete = unchunk(body, parsed.reply.body);
  } else {
    const bool named = !length.empty();
    parsed.reply.body = named ? body.substr(0, number(length, 10)) : body;
    parsed.complete = named ? parsed.reply.body.size() == number(length, 10) : ended;
  }
  return parsed;
}

std::optional<TestClient::Event> take_event(std::string& text) {
  for (;;) {
    const std::size_t end = text.find("\n\n");
    if (end == std::string::npos) return std::nullopt;
    std::string_view block = std::string_view(text).substr(0, end);
    TestClient::Event event;
    bool any = false;
    while (!block.empty()) {
      const std::string_view line = take_line(block, "\n");
      const std::size_t colon = std::min(line.find(": "), line.size());
      const std::string_view name = line.substr(0, colon);
      const std::string_view value = line.substr(std::min(colon + 2, line.size()));
      if (name == "data") {
        if (!event.data.empty()) event.data += '\n';
        event.data += value;
      } else if (name == "event") {
        event.type = value;
      } else if (name == "id") {
        event.id = value;
      }
      any = any || name == "data" || name == "event" || name == "id";
    }
    text.erase(0, end + 2);
    if (any) return event;
  }
}

}  // namespace aiserve::inline v0::http::detail
