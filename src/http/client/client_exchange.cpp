#include "http/client/client_exchange.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "core/runtime_core.hpp"
#include "http/char_class.hpp"
#include "http/client/patience.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kStep = 64 * 1024;
// No more is reserved on the word of a server.
constexpr std::uint64_t kMostExpected = 1024 * 1024;

Error malformed(std::string_view why) {
  return Error(Errc::unavailable, "the service's answer is malformed")
      .with_detail(std::string(why));
}

Error slow_lookup() {
  return {Errc::unavailable, "the service's name could not be resolved in time"};
}

Error too_large() { return {Errc::too_large, "the service's answer is too large"}; }

}  // namespace

ClientExchange::ClientExchange(ClientCore& core, ClientThread& thread, OriginPool& pool,
                               OriginPool::Slot slot, std::unique_ptr<RequestSender> sender)
    : core_(core),
      thread_(thread),
      pool_(pool),
      slot_(std::move(slot)),
      sender_(std::move(sender)) {}

Async<void> ClientExchange::start(const Context& ctx, const Url& url, const ResponseShape& shape,
                                  bool fresh) {
  auto idle = fresh ? std::nullopt : pool_.take_idle();
  reused_ = idle.has_value();
  if (reused_) {
    socket_.emplace(thread_.home(), std::move(*idle));
    core_.metrics.reused.inc();
  } else {
    const Result<void> connected = co_await connect(ctx, url);
    if (!connected.ok()) co_return connected.error();
    core_.metrics.opened.inc();
  }
  max_body_ = shape.max_body;
  const ResponseLimits limits{core_.options.max_head, core_.options.max_headers, max_body_};
  parser_.emplace(limits, shape.bodiless);
  co_return co_await read_head(ctx);
}

Async<void> ClientExchange::connect(const Context& ctx, const Url& url) {
  const Deadline until =
      Deadline::after(core_.runtime.clock().now(), core_.options.connect_timeout);
  const Context bounded = ctx.with_deadline(until);
  const Result<Addresses> addresses = co_await core_.addresses(bounded, url.host());
  if (!addresses.ok()) {
    if (!bounded.cancelled() && until.expired(core_.runtime.clock().now())) co_return slow_lookup();
    co_return addresses.error();
  }
  Result<void> connected;
  std::size_t left = addresses->size();
  for (const IpAddress& address : *addresses) {
    // Each gets a fair part of what is left, so that one dead address doesn't use it all up.
    const TimePoint now = core_.runtime.clock().now();
    const Deadline turn(now + until.remaining(now) / static_cast<std::int64_t>(left--));
    const Phase phase{.until = turn,
                      .code = Errc::unavailable,
                      .late = "the service did not take the connection in time"};
    socket_.emplace(thread_.home());
    connected = co_await socket_->connect(ctx, address, url.port(), phase);
    if (connected.ok()) break;
    if (is_over(ctx)) co_return connected;
  }
  if (!connected.ok()) core_.names.forget(url.host());  // it may have moved
  if (!connected.ok() || !url.secure()) co_return connected;
  co_return co_await secure(ctx, url);
}

Async<void> ClientExchange::secure(const Context& ctx, const Url& url) {
  const TimePoint now = core_.runtime.clock().now();
  const Phase phase{.until = Deadline::after(now, core_.options.handshake_timeout),
                    .code = Errc::unavailable,
                    .late = "the service did not finish the TLS handshake in time"};
  auto ssl = core_.tls.connection_to(url.host());
  pool_.sessions().follow(*ssl);
  auto filter = std::make_unique<TlsFilter>(std::move(ssl), thread_.scratch());
  const Result<void> done = co_await socket_->handshake(ctx, std::move(filter), phase);
  if (done.ok()) (socket_->resumed() ? core_.metrics.resumed : core_.metrics.full).inc();
  co_return done;
}

Async<void> ClientExchange::read_head(const Context& ctx) {
  for (;;) {
    const Result<void> received = co_await receive(ctx);
    if (!received.ok()) co_return received.error();
    std::string_view piece;
    const auto outcome = parser_->next(input_, piece);
    if (outcome == ResponseParser::Outcome::failed) co_return refused();
    if (outcome == ResponseParser::Outcome::head) break;
  }
  // Who refuses, or sends us elsewhere, has no use for the rest (RFC 9112 section 9.3).
  if (!sender_->done() && head().status >= 300) cut_short();
  prepare_decoder();
  co_return success();
}

void ClientExchange::cut_short() noexcept {
  sender_->drop();
  cut_short_ = true;
}

Phase ClientExchange::phase() const noexcept {
  if (sender_->done() && !answered_) return {.until = first_byte_};
  Phase moving{.stall = core_.options.stall_timeout};
  if (!answered_) moving.late = "the service does not take the request";
  return moving;
}

// A source may give piece after piece without ever waiting.
Async<void> ClientExchange::refill(const Context& ctx) {
  const Result<void> alive = ctx.check(core_.runtime.clock().now());
  if (!alive.ok()) co_return alive.error();
  co_return co_await sender_->refill(ctx);
}

Result<void> ClientExchange::take_in(std::string_view received) {
  input_ = received;
  answered_ = answered_ || !input_.empty();
  if (!input_.empty() || parser_->end() == ResponseParser::Outcome::done) return success();
  return socket_->send_error() ? *socket_->send_error() : refused();
}

// `input_` is not empty then, or the parser knows that the answer has ended.
Async<void> ClientExchange::receive(const Context& ctx) {
  for (;;) {
    if (sender_->starved()) {
      // Before another piece is made: the answer may say that nobody wants it.
      const Result<std::optional<std::string_view>> early = socket_->poll();
      if (!early.ok()) co_return early.error();
      if (*early) co_return take_in(**early);
      const Result<void> filled = co_await refill(ctx);
      if (!filled.ok()) co_return filled.error();
    }
    const Phase now = phase();
    const Result<Progress> got = co_await socket_->exchange(ctx, sender_->now(), now);
    if (!got.ok()) co_return got.error();
    if (socket_->send_error()) cut_short();
    if (got->sent) {
      first_byte_ = Deadline::after(core_.runtime.clock().now(), core_.options.first_byte_timeout);
      continue;
    }
    co_return take_in(got->data);
  }
}

// After a whole answer that did not wait for it. Who takes no more of it has what he wants.
Async<void> ClientExchange::send_rest(const Context& ctx) {
  while (!cut_short_ && (!sender_->done() || !socket_->flushed())) {
    if (sender_->starved()) {
      const Result<void> filled = co_await refill(ctx);
      if (!filled.ok()) co_return filled.error();
    }
    const Phase now = phase();
    const Result<Progress> got = co_await socket_->exchange(ctx, sender_->now(), now);
    if (!got.ok() && is_over(ctx)) co_return got.error();
    if (!got.ok() || !got->sent) cut_short();
  }
  co_return success();
}

void ClientExchange::prepare_decoder() {
  if (!core_.options.decode || !parser_->has_body()) return;
  ResponseHead& answer = parser_->head();
  const auto coding = coding_named(answer.field("content-encoding"));
  if (coding != Coding::gzip && coding != Coding::deflate) return;
  decoder_.emplace(*coding, max_body_);
  std::erase_if(answer.fields, [](const auto& field) {
    return iequals(field.first, "content-encoding") || iequals(field.first, "content-length");
  });
}

std::size_t ClientExchange::expected() const noexcept {
  const auto length = decoder_ ? std::nullopt : parser_->length();
  return static_cast<std::size_t>(std::min(length.value_or(0), kMostExpected));
}

Async<bool> ClientExchange::more(const Context& ctx, std::string& out) {
  if (finished_) co_return false;
  const std::size_t before = out.size();
  for (;;) {
    const Result<bool> decoded = decode(out);
    if (!decoded.ok()) co_return decoded.error();
    if (out.size() != before) co_return true;
    if (*decoded) continue;
    std::string_view piece;
    switch (parser_->next(input_, piece)) {
      case ResponseParser::Outcome::data:
        if (!decoder_) {
          out.append(piece);
          co_return true;
        }
        coded_ = std::as_bytes(std::span(piece));
        break;
      case ResponseParser::Outcome::more: {
        const Result<void> received = co_await receive(ctx);
        if (!received.ok()) co_return received.error();
        break;
      }
      case ResponseParser::Outcome::done: {
        const Result<void> sent = co_await send_rest(ctx);
        if (!sent.ok()) co_return sent.error();
        const Result<void> whole = finish();
        if (!whole.ok()) co_return whole.error();
        co_return false;
      }
      default:
        co_return refused();
    }
  }
}

Result<bool> ClientExchange::decode(std::string& out) {
  if (!decoder_ || (coded_.empty() && !decoder_->holds_back())) return false;
  decoded_any_ = true;
  switch (decoder_->feed(coded_, out, kStep)) {
    case BodyDecoder::Outcome::more:
      return true;
    case BodyDecoder::Outcome::large:
      return too_large();
    default:
      return malformed("the body is not in its content coding");
  }
}

Result<void> ClientExchange::finish() {
  finished_ = true;
  if (decoder_ && decoded_any_ && !decoder_->complete()) {
    return malformed("the body is not in its content coding");
  }
  const bool reusable = parser_->reusable() && input_.empty() && !cut_short_;
  if (reusable) pool_.keep(socket_->release());
  socket_.reset();
  slot_ = OriginPool::Slot();
  return success();
}

Error ClientExchange::refused() const {
  return parser_->too_large() ? too_large() : malformed(parser_->reason());
}

}  // namespace aiserve::inline v0::http::detail
