// EventParser: events out of the bytes of an event stream (WHATWG HTML, 9.2.5 and 9.2.6), in
// whatever pieces they come. Memory is bounded: by one event, and what was fed.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "aiserve/http/event_source.hpp"

namespace aiserve::inline v0::http::detail {

class EventParser {
 public:
  // Bytes of a line, and of an event's data.
  explicit EventParser(std::size_t most) noexcept : most_(most) {}

  // To be fed when next() has nothing more. False once a line or an event is too large.
  bool feed(std::string_view bytes);
  std::optional<ServerEvent> next();
  // A line or an event was too large; seen by feed(), or later by next().
  bool failed() const noexcept { return failed_; }
  // A new connection: what is incomplete is dropped, the id of the last event stays.
  void restart() noexcept;

  const std::string& last_id() const noexcept { return last_id_; }
  // What the server asked for.
  std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

 private:
  void read();
  bool append(std::string_view piece);
  bool line(std::string_view text);
  bool field(std::string_view name, std::string_view value);
  void dispatch();

  const std::size_t most_;
  bool begun_ = false;  // the first line is past, where a byte order mark may stand
  bool after_cr_ = false;
  bool failed_ = false;
  std::string input_;
  std::size_t at_ = 0;  // of `input_`: read up to there
  std::string line_;
  std::string type_;
  std::string data_;
  std::string id_;  // of the event being read, and those after it
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
  std::optional<ServerEvent> ready_;
};

}  // namespace aiserve::inline v0::http::detail
