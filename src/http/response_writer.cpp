#include "http/response_writer.hpp"

#include <array>
#include <charconv>

#include "http/http_date.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// The few that nearly all responses have, as one append.
std::string_view ready_status_line(int status) noexcept {
  switch (status) {
    case 101:
      return "HTTP/1.1 101 Switching Protocols\r\n";
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 201:
      return "HTTP/1.1 201 Created\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    default:
      return {};
  }
}

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_status_line(std::string& out, int status) {
  const std::string_view ready = ready_status_line(status);
  if (!ready.empty()) {
    out += ready;
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

constexpr bool has_no_body(int status) noexcept {
  return status == 101 || status == 204 || status == 304;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr Row kRows[] = {{200, "OK"},
                                  {201, "Created"},
                                  {202, "Accepted"},
                                  {204, "No Content"},
                                  {206, "Partial Content"},
                                  {301, "Moved Permanently"},
                                  {302, "Found"},
                                  {303, "See Other"},
                                  {304, "Not Modified"},
                                  {307, "Temporary Redirect"},
                                  {308, "Permanent Redirect"},
                                  {400, "Bad Request"},
                                  {401, "Unauthorized"},
                                  {403, "Forbidden"},
                                  {404, "Not Found"},
                                  {405, "Method Not Allowed"},
                                  {406, "Not Acceptable"},
                                  {408, "Request Timeout"},
                                  {409, "Conflict"},
                                  {410, "Gone"},
                                  {411, "Length Required"},
                                  {412, "Precondition Failed"},
                                  {413, "Content Too Large"},
                                  {414, "URI Too Long"},
                                  {415, "Unsupported Media Type"},
                                  {416, "Range Not Satisfiable"},
                                  {417, "Expectation Failed"},
                                  {422, "Unprocessable Content"},
                                  {426, "Upgrade Required"},
                                  {429, "Too Many Requests"},
                                  {431, "Request Header Fields Too Large"},
                                  {499, "Client Closed Request"},
                                  {500, "Internal Server Error"},
                                  {501, "Not Implemented"},
                                  {502, "Bad Gateway"},
                                  {503, "Service Unavailable"},
                                  {504, "Gateway Timeout"},
                                  {505, "HTTP Version Not Supported"}};
  for (const Row& row : kRows) {
    if (row.status == status) return row.phrase;
  }
  return "Unknown";
}

std::string_view DateLine::at(WallTime now) {
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (second == second_) return line_;
  second_ = second;
  line_ = "Date: ";
  append_http_date(line_, second);
  line_ += "\r\n";
  return line_;
}

std::string_view ResponseWriter::fault(const Response& response) noexcept {
  if (!response.fault_.empty()) return response.fault_;
  if (response.protocol_ != nullptr) {
    return response.status_ == 101 ? "" : "a change of protocol with a status other than 101";
  }
  if (response.status_ < 200 || response.status_ > 599) return "a status outside 200 to 599";
  return {};
}

void ResponseWriter::ask_to_upgrade(Response& response, std::string_view name) {
  response.fields_.append("Upgrade: ").append(name).append("\r\nConnection: Upgrade\r\n");
}

Response ResponseWriter::switching(std::string_view name, std::shared_ptr<Protocol> protocol) {
  Response response(101);
  ask_to_upgrade(response, name);
  response.protocol_ = std::move(protocol);
  return response;
}

Response ResponseWriter::streaming(std::string_view content_type,
                                   std::shared_ptr<StreamSource> source) {
  Response head;
  head.content_type_ = content_type;
  return streaming(std::move(head), std::move(source));
}

Response ResponseWriter::streaming(Response&& head, std::shared_ptr<StreamSource> source) {
  Response response = std::move(head);
  response.stream_ = std::move(source);
  return response;
}

bool ResponseWriter::bodiless(const Response& response) noexcept {
  return has_no_body(response.status_);
}

void ResponseWriter::append_framing(std::string& out, const Response& response,
                                    const Framing& framing) {
  if (framing.chunked) {
    out += "Transfer-Encoding: chunked\r\n";
    return;
  }
  std::optional<std::uint64_t> length = body_size(response);
  if (response.stream_ != nullptr) length = response.stream_->length();
  if (!length) return;
  out += "Content-Length: ";
  append_number(out, *length);
  out += "\r\n";
}

Bytes ResponseWriter::share_body(Response& response) {
  if (response.bytes_.empty()) {
    response.bytes_ = Bytes::adopt(std::move(response.text_));
    response.text_.clear();
  }
  return response.bytes_;
}

void ResponseWriter::replace_body(Response& response, std::string body) noexcept {
  response.text_ = std::move(body);
  response.bytes_ = {};
}

void ResponseWriter::write_head(std::string& out, const Response& response, const Framing& framing,
                                std::string_view date_line) {
  append_status_line(out, response.status_);
  out += date_line;
  if (!response.content_type_.empty()) {
    out += "Content-Type: ";
    out += response.content_type_;
    out += "\r\n";
  }
  if (!has_no_body(response.status_)) append_framing(out, response, framing);
  if (framing.persistence == Persistence::close) out += "Connection: close\r\n";
  if (framing.persistence == Persistence::keep_on_http10) out += "Connection: keep-alive\r\n";
  out += response.fields_;
  out += "\r\n";
}

void ResponseWriter::write(OutBuffer& out, Response& response, const Framing& framing,
                           std::string_view date_line) {
  write_head(out.text(), response, framing, date_line);
  const bool no_body = framing.head_only || has_no_body(response.status_);
  if (no_body || response.stream_ != nullptr) return;
  if (!response.bytes_.empty()) return out.append(std::move(response.bytes_));
  if (response.text_.size() <= OutBuffer::kCopyUpTo) {
    out.text() += response.text_;
  } else {
    out.append(Bytes::adopt(std::move(response.text_)));
  }
}

void begin_chunk(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  begin_chunk(out, data.size());
  out += data;
  out += "\r\n";
}

}  // namespace aiserve::inline v0::http::detail
