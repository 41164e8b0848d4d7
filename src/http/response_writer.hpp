// ResponseWriter: puts a Response on the wire. Status lines and common types are ready-made text,
// the Date line is made once per second.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aiserve/core/deadline.hpp"
#include "aiserve/http/response.hpp"
#include "http/out_buffer.hpp"

namespace aiserve::inline v0::http::detail {

class PendingCheck;
class Protocol;
class StreamSource;

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", renewed when the second changes.
class DateLine {
 public:
  std::string_view at(WallTime now);

 private:
  std::int64_t second_ = -1;
  std::string line_;
};

// What few responses have.
struct ResponseExtra {
  std::shared_ptr<StreamSource> stream;
  std::shared_ptr<Protocol> protocol;
  std::shared_ptr<const PendingCheck> check;
};

class ResponseWriter {
 public:
  enum class Persistence : std::uint8_t {
    keep,            // HTTP/1.1: no Connection field
    keep_on_http10,  // Connection: keep-alive
    close            // Connection: close
  };

  struct Framing {
    Persistence persistence = Persistence::keep;
    bool head_only = false;  // the answer to HEAD
    bool chunked = false;    // a stream; otherwise it has a length or ends with the connection
  };

  // Why the response cannot be sent; empty if it can.
  static std::string_view fault(const Response& response) noexcept;
  // Whether it is status, fields and body and no more.
  static bool whole(const Response& response) noexcept { return response.extra_ == nullptr; }
  static const std::shared_ptr<StreamSource>& stream(const Response& response) noexcept {
    return extra(response).stream;
  }
  // What takes over when this response has been sent; null for all but a 101.
  static const std::shared_ptr<Protocol>& protocol(const Response& response) noexcept {
    return extra(response).protocol;
  }
  // 101: from here on `protocol` has the connection, and is called `name` in the Upgrade field.
  // `name` must live for the whole program. For requests that Connection::can_switch().
  static Response switching(std::string_view name, std::shared_ptr<Protocol> protocol);
  // Tells the client which protocol it has to ask for (426; RFC 9110, section 15.5.22).
  static void ask_to_upgrade(Response& response, std::string_view name);
  // No answer yet, but how a before hook finds it out; see handler.hpp. Null of all others.
  static const std::shared_ptr<const PendingCheck>& check(const Response& response) noexcept {
    return extra(response).check;
  }
  static Response pending(std::shared_ptr<const PendingCheck> check);
  static Response streaming(std::string_view content_type, std::shared_ptr<StreamSource> source);
  // The same with the head of a response, which has no body yet.
  static Response streaming(Response&& head, std::shared_ptr<StreamSource> source);
  // 101, 204, 304: whatever body they were given.
  static bool bodiless(const Response& response) noexcept;
  // "Name: value\r\n" of each field that a handler has set.
  static std::string field_lines(const Response& response);
  // The body as something to keep while the response goes on.
  static Bytes share_body(Response& response);
  static void replace_body(Response& response, std::string body) noexcept;
  static std::size_t body_size(const Response& response) noexcept {
    return response.bytes_.empty() ? response.text_.size() : response.bytes_.size();
  }

  // 200 with a content type that is known to be well-formed.
  static Response with_body(std::string&& text, std::string_view content_type) noexcept {
    Response response;
    response.content_type_ = content_type;
    response.text_ = std::move(text);
    return response;
  }
  // As a new one, for the next request; keeps a little memory.
  static void clear(Response& response) noexcept;

  // Appends head and body, which it takes over; of a stream the head only.
  static void write(OutBuffer& out, Response& response, const Framing& framing,
                    std::string_view date_line);

 private:
  static const ResponseExtra& extra(const Response& response) noexcept {
    return response.extra_ == nullptr ? kNoExtra : *response.extra_;
  }
  static const ResponseExtra kNoExtra;
  static std::optional<std::uint64_t> length(const Response& response);
  static void write_head(std::string& out, const Response& response, const Framing& framing,
                         std::string_view date_line, std::string_view body);
  static Bytes take_body(Response& response);
};

// "Not Found"; "Unknown" for what RFC 9110 doesn't name.
std::string_view reason_phrase(int status) noexcept;

void begin_chunk(std::string& out, std::size_t size);
void append_chunk(std::string& out, std::string_view data);

}  // namespace aiserve::inline v0::http::detail
