// RequestSender: what is to be sent of a request, in turn: its head, then its body, which is there,
// or which the host makes piece by piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aiserve/core/async.hpp"
#include "aiserve/core/bytes.hpp"
#include "aiserve/http/client_request.hpp"

namespace aiserve::inline v0::http::detail {

// To be sent one behind the other; taken off the front as it goes.
struct Outgoing {
  std::string_view head{};
  std::string_view body{};

  bool empty() const noexcept { return head.empty() && body.empty(); }
  std::size_t size() const noexcept { return head.size() + body.size(); }
  void take(std::size_t n) noexcept;
};

class RequestSender {
 public:
  RequestSender(std::string head, Bytes body);
  RequestSender(std::string head, const ClientBody& source);
  RequestSender(const RequestSender&) = delete;
  RequestSender& operator=(const RequestSender&) = delete;

  // What can be sent now. If it is empty, there is no more, or the source has to be asked.
  Outgoing& now() noexcept { return now_; }
  bool starved() const noexcept { return now_.empty() && open_; }
  bool done() const noexcept { return now_.empty() && !open_; }
  // Asks the source. Errors: the source's, and invalid_argument if it gives another length than it
  // said; after one it is not asked again: what it had taken for that piece would be missing.
  Async<void> refill(const Context& ctx);
  // Nothing more is sent.
  void drop() noexcept;

  // The source was asked.
  bool begun() const noexcept { return begun_; }
  bool failed() const noexcept { return failure_.has_value(); }

 private:
  Async<Bytes> ask(const Context& ctx);
  bool count(std::size_t size) noexcept;
  void frame();

  std::string text_;  // the head, then what stands before a piece
  Bytes piece_;
  ClientBody source_;
  bool open_ = false;  // there may be more pieces
  bool begun_ = false;
  bool first_ = true;  // no piece was framed
  std::optional<Error> failure_;
  std::uint64_t left_ = 0;  // of a length that was said
  Outgoing now_;
};

}  // namespace aiserve::inline v0::http::detail
