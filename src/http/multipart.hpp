// MultipartParser: multipart/form-data (RFC 7578, framing of RFC 2046 section 5.1) in slices of any
// size. Linear in the bytes; holds nothing but the head of the current part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aiserve/http/multipart.hpp"

namespace aiserve::inline v0::http::detail {

// The boundary of a Content-Type, if that is multipart/form-data with a good one.
std::optional<std::string> multipart_boundary(std::string_view content_type);

// Reads the header fields of a part ("Name: value\r\n" each) into `head`. Why not; empty: done.
std::string_view parse_part_head(std::string_view fields, const MultipartLimits& limits,
                                 PartHead& head);

class MultipartParser {
 public:
  enum class Outcome : std::uint8_t {
    more,   // all of the input is taken
    part,   // a part begins: head()
    data,   // a piece of its content
    done,   // the last boundary has come; what follows is refused
    failed  // status() and reason(); nothing else follows
  };

  MultipartParser(const std::string& boundary, const MultipartLimits& limits);

  // Takes from the front of `input`. `data` is a piece of the input or of the parser's own memory;
  // it is good until the next call.
  Outcome next(std::string_view& input, std::string_view& data);
  const PartHead& head() const noexcept { return head_; }
  PartHead take_head() noexcept { return std::move(head_); }
  // No more bytes will come: they were all.
  bool complete() const noexcept { return state_ == State::epilogue; }

  int status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return reason_; }

 private:
  enum class State : std::uint8_t { first, after_boundary, fields, content, epilogue, failed };

  Outcome fail(int status, std::string_view reason) noexcept;
  Outcome match_boundary(std::string_view& input, std::string_view& data);
  Outcome content(std::string_view& input, std::string_view& data);
  Outcome give(std::string_view piece, std::string_view& data);
  Outcome after_boundary(std::string_view& input);
  Outcome fields(std::string_view& input);
  Outcome epilogue(std::string_view& input);

  const std::string delimiter_;  // "\r\n--boundary"
  const MultipartLimits limits_;
  State state_ = State::first;
  std::size_t matched_ = 2;  // of the delimiter; the first has no line before it
  bool empty_ = false;       // nothing of the content has come yet
  std::string text_;         // fields, or the two characters behind a boundary
  PartHead head_;
  std::size_t parts_ = 0;
  std::uint64_t size_ = 0;  // of the part's content so far
  int status_ = 0;
  std::string_view reason_;
};

}  // namespace aiserve::inline v0::http::detail
