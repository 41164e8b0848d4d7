#include "aiserve/http/multipart_reader.hpp"

#include <optional>
#include <utility>

#include "aiserve/http/request.hpp"
#include "http/multipart.hpp"

namespace aiserve::inline v0::http {

using Outcome = detail::MultipartParser::Outcome;

class MultipartReader::Impl {
 public:
  Impl(const Request& request, BodyReader& body, const MultipartLimits& limits) : body_(body) {
    const auto boundary = detail::multipart_boundary(request.header("content-type"));
    if (boundary) {
      parser_.emplace(*boundary, limits);
    } else {
      error_ = Error(Errc::invalid_argument, "the body must be multipart/form-data");
    }
  }

  Async<bool> next();
  Async<Bytes> read();

  PartHead head;

 private:
  // Goes on to what comes next: part, data (in piece_), or done at the end of the whole body.
  Async<Outcome> advance();
  Async<void> receive();
  Bytes piece_of(std::string_view data) const;

  BodyReader& body_;
  std::optional<detail::MultipartParser> parser_;
  std::optional<Error> error_;
  Bytes chunk_;             // of the body
  std::string_view input_;  // what the parser has not taken of it
  Bytes piece_;
  bool part_waits_ = false;  // read() came upon its beginning
  bool ended_ = false;
};

Async<void> MultipartReader::Impl::receive() {
  Result<Bytes> chunk = co_await body_.read();
  if (!chunk) {
    error_ = chunk.error();
  } else if (chunk->empty()) {
    ended_ = parser_->complete();
    if (!ended_) error_ = Error(Errc::malformed, "the last boundary is missing");
  } else {
    chunk_ = std::move(*chunk);
    input_ = chunk_.text();
  }
  if (error_) co_return *error_;
  co_return success();
}

// Without a copy, unless what looked like a boundary turned out to be content.
Bytes MultipartReader::Impl::piece_of(std::string_view data) const {
  const std::string_view chunk = chunk_.text();
  const bool inside = data.data() >= chunk.data() && data.data() < chunk.data() + chunk.size();
  if (!inside) return Bytes::copy(data);
  return chunk_.slice(static_cast<std::size_t>(data.data() - chunk.data()), data.size());
}

Async<Outcome> MultipartReader::Impl::advance() {
  while (!error_ && !ended_) {
    std::string_view data;
    const Outcome outcome = parser_->next(input_, data);
    if (outcome == Outcome::failed) {
      const Errc code = parser_->status() == 413 ? Errc::too_large : Errc::malformed;
      error_ = Error(code, std::string(parser_->reason()));
    } else if (outcome == Outcome::more) {
      (void)co_await receive();
    } else if (outcome != Outcome::done) {
      if (outcome == Outcome::data) piece_ = piece_of(data);
      co_return outcome;
    }
  }
  if (error_) co_return *error_;
  co_return Outcome::done;
}

Async<bool> MultipartReader::Impl::next() {
  Outcome outcome = Outcome::part;
  if (!std::exchange(part_waits_, false)) {
    do {
      Result<Outcome> step = co_await advance();
      if (!step) co_return step.error();
      outcome = *step;
    } while (outcome == Outcome::data);
  }
  if (outcome == Outcome::done) co_return false;
  head = parser_->take_head();
  co_return true;
}

Async<Bytes> MultipartReader::Impl::read() {
  if (part_waits_) co_return Bytes();
  Result<Outcome> step = co_await advance();
  if (!step) co_return step.error();
  if (*step == Outcome::data) co_return std::move(piece_);
  part_waits_ = *step == Outcome::part;
  co_return Bytes();
}

MultipartReader::MultipartReader(const Request& request, BodyReader& body,
                                 const MultipartLimits& limits)
    : impl_(std::make_unique<Impl>(request, body, limits)) {}
MultipartReader::~MultipartReader() = default;

Async<bool> MultipartReader::next() { return impl_->next(); }
const PartHead& MultipartReader::head() const noexcept { return impl_->head; }
Async<Bytes> MultipartReader::read() { return impl_->read(); }

}  // namespace aiserve::inline v0::http
