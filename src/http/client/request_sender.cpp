#include "http/client/request_sender.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace aiserve::inline v0::http::detail {
namespace {

std::string hexadecimal(std::size_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

}  // namespace

void Outgoing::take(std::size_t n) noexcept {
  const std::size_t of_head = std::min(n, head.size());
  head.remove_prefix(of_head);
  body.remove_prefix(n - of_head);
}

RequestSender::RequestSender(std::string head, Bytes body)
    : text_(std::move(head)), piece_(std::move(body)), now_{text_, piece_.text()} {}

RequestSender::RequestSender(std::string head, const ClientBody& source)
    : text_(std::move(head)),
      source_(source),
      open_(source.length != 0),
      left_(source.length.value_or(0)),
      now_{text_, {}} {}

void RequestSender::drop() noexcept {
  now_ = Outgoing();
  open_ = false;
}

Async<void> RequestSender::refill(const Context& ctx) {
  if (failure_) co_return *failure_;
  begun_ = true;
  Result<Bytes> piece = co_await ask(ctx);
  if (!piece.ok()) {
    failure_ = piece.error();
  } else if (!count(piece->size())) {
    failure_.emplace(Errc::invalid_argument, "the request's body has another length than was said");
  }
  if (failure_) co_return *failure_;
  piece_ = std::move(*piece);
  frame();
  co_return success();
}

Async<Bytes> RequestSender::ask(const Context& ctx) {
  try {
    co_return co_await source_.next(ctx);
  } catch (...) {
    co_return error_from_current_exception();
  }
}

// False: it is not what was said.
bool RequestSender::count(std::size_t size) noexcept {
  if (!source_.length) {
    open_ = size != 0;
    return true;
  }
  if (size == 0 || size > left_) return false;
  left_ -= size;
  open_ = left_ != 0;
  return true;
}

// RFC 9112 section 7.1, where no length was said.
void RequestSender::frame() {
  const bool first = std::exchange(first_, false);
  text_.clear();
  if (!source_.length) {
    if (!first) text_ = "\r\n";
    text_.append(hexadecimal(piece_.size())).append(open_ ? "\r\n" : "\r\n\r\n");
  }
  now_ = {text_, piece_.text()};
}

}  // namespace aiserve::inline v0::http::detail
