#include "http/response_writer.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "aiserve/http/hooks.hpp"
#include "http/http_date.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// The few that nearly all responses have, as one append.
std::string_view ready_status_line(int status) noexcept {
  switch (status) {
    case 101:
      return "HTTP/1.1 101 Switching Protocols\r\n";
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

// Writes behind a text for which it has made room once: nearly all responses are a dozen short
// pieces.
class Cursor {
 public:
  Cursor(std::string& out, std::size_t room) : out_(out), before_(out.size()) {
    out.resize(before_ + room);
    to_ = out.data() + before_;
  }
  // Gives back the room that is left.
  ~Cursor() { out_.resize(static_cast<std::size_t>(to_ - out_.data())); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // As a few stores.
  template <std::size_t N>
  void literal(const char (&text)[N]) noexcept {
    std::memcpy(to_, text, N - 1);
    to_ += N - 1;
  }
  void add(std::string_view text) noexcept {
    if (text.empty()) return;
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
  void number(std::uint64_t value) noexcept { to_ = std::to_chars(to_, to_ + 20, value).ptr; }

 private:
  std::string& out_;
  const std::size_t before_;
  char* to_ = nullptr;
};

void write_status_line(Cursor& cursor, int status) noexcept {
  if (status == 200) return cursor.literal("HTTP/1.1 200 OK\r\n");
  const std::string_view ready = ready_status_line(status);
  if (!ready.empty()) return cursor.add(ready);
  cursor.literal("HTTP/1.1 ");
  cursor.number(static_cast<std::uint64_t>(status));
  cursor.literal(" ");
  cursor.add(reason_phrase(status));
  cursor.literal("\r\n");
}

std::string_view connection_line(ResponseWriter::Persistence persistence) noexcept {
  switch (persistence) {
    case ResponseWriter::Persistence::keep:
      return {};
    case ResponseWriter::Persistence::keep_on_http10:
      return "Connection: keep-alive\r\n";
    case ResponseWriter::Persistence::close:
      break;
  }
  return "Connection: close\r\n";
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

constinit const ResponseExtra ResponseWriter::kNoExtra{};

std::string_view ResponseWriter::fault(const Response& response) noexcept {
  if (!response.fault_.empty()) return response.fault_;
  if (protocol(response) != nullptr) {
    return response.status_ == 101 ? "" : "a change of protocol with a status other than 101";
  }
  if (response.status_ < 200 || response.status_ > 599) return "a status outside 200 to 599";
  return {};
}

void ResponseWriter::ask_to_upgrade(Response& response, std::string_view name) {
  response.fields_.append("Upgrade: ").append(name).append("\r\nConnection: Upgrade\r\n");
}

Response pending(std::shared_ptr<const PendingCheck> check) {
  return ResponseWriter::pending(std::move(check));
}

// With a status that cannot be sent.
Response ResponseWriter::pending(std::shared_ptr<const PendingCheck> check) {
  Response response(0);
  response.extra_ = std::make_shared<const ResponseExtra>(ResponseExtra{{}, {}, std::move(check)});
  return response;
}

Response ResponseWriter::switching(std::string_view name, std::shared_ptr<Protocol> protocol) {
  Response response(101);
  ask_to_upgrade(response, name);
  response.extra_ =
      std::make_shared<const ResponseExtra>(ResponseExtra{{}, std::move(protocol), {}});
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
  response.extra_ = std::make_shared<const ResponseExtra>(ResponseExtra{std::move(source), {}, {}});
  return response;
}

bool ResponseWriter::bodiless(const Response& response) noexcept {
  return has_no_body(response.status_);
}

// What is sent behind the head.
std::optional<std::uint64_t> ResponseWriter::length(const Response& response) {
  const std::shared_ptr<StreamSource>& source = stream(response);
  return source == nullptr ? body_size(response) : source->length();
}

std::string ResponseWriter::field_lines(const Response& response) {
  std::string lines;
  if (!response.content_type_.empty()) {
    lines.append("Content-Type: ").append(response.content_type_).append("\r\n");
  }
  return lines += response.fields_;
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

void ResponseWriter::write(OutBuffer& out, Response& response, const Framing& framing,
                           std::string_view date_line) {
  const bool no_body = has_no_body(response.status_);
  const bool with_body = !no_body && !framing.head_only && stream(response) == nullptr;
  const bool copied = response.bytes_.empty() && response.text_.size() <= OutBuffer::kCopyUpTo;
  const std::string_view body = with_body && copied ? std::string_view(response.text_) : "";
  write_head(out.text(), response, framing, date_line, body);
  if (with_body && !copied) out.append(take_body(response));
}

void ResponseWriter::write_head(std::string& out, const Response& response, const Framing& framing,
                                std::string_view date_line, std::string_view body) {
  constexpr std::size_t kRest = 256;  // more than all that is not counted
  Cursor cursor(out, kRest + date_line.size() + response.content_type_.size() +
                         response.fields_.size() + body.size());
  write_status_line(cursor, response.status_);
  cursor.add(date_line);
  if (!response.content_type_.empty()) {
    cursor.literal("Content-Type: ");
    cursor.add(response.content_type_);
    cursor.literal("\r\n");
  }
  if (!has_no_body(response.status_)) {
    const auto length = framing.chunked ? std::nullopt : ResponseWriter::length(response);
    if (framing.chunked) cursor.literal("Transfer-Encoding: chunked\r\n");
    if (length) {
      cursor.literal("Content-Length: ");
      cursor.number(*length);
      cursor.literal("\r\n");
    }
  }
  cursor.add(connection_line(framing.persistence));
  cursor.add(response.fields_);
  cursor.literal("\r\n");
  cursor.add(body);
}

Bytes ResponseWriter::take_body(Response& response) {
  if (!response.bytes_.empty()) return std::move(response.bytes_);
  return Bytes::adopt(std::move(response.text_));
}

void ResponseWriter::clear(Response& response) noexcept {
  constexpr std::size_t kKeep = 256;
  response.status_ = 200;
  response.fault_ = response.content_type_ = {};
  for (std::string* text : {&response.fields_, &response.text_}) {
    text->clear();
    if (text->capacity() > kKeep) std::string().swap(*text);
  }
  response.bytes_ = {};
  response.extra_.reset();
}

void begin_chunk(std::string& out, std::size_t size) {
  std::array<char, 16> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  begin_chunk(out, data.size());
  out += data;
  out += "\r\n";
}

}  // namespace aiserve::inline v0::http::detail
