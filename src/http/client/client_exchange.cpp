#include "http/client/client_exchange.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "core/runtime_core.hpp"
#include "http/char_class.hpp"

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
                               OriginPool::Slot slot, std::uint64_t max_body)
    : core_(core), thread_(thread), pool_(pool), slot_(std::move(slot)), max_body_(max_body) {}

Async<void> ClientExchange::start(const Context& ctx, const Url& url, const WireRequest& request,
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
  const ResponseLimits limits{core_.options.max_head, core_.options.max_headers, max_body_};
  parser_.emplace(limits, request.head_only);
  const Phase phase{.stall = core_.options.stall_timeout,
                    .late = "the service does not take the request"};
  const Result<void> written = co_await socket_->write(ctx, request.head, request.body, phase);
  // A server may answer before it has read everything, and close.
  if (!written.ok() && written.error().code() != Errc::unavailable) co_return written.error();
  const Result<void> read = co_await read_head(ctx);
  if (!written.ok() && !read.ok()) co_return written.error();
  co_return read;
}

Async<void> ClientExchange::connect(const Context& ctx, const Url& url) {
  const Deadline until =
      Deadline::after(core_.runtime.clock().now(), core_.options.connect_timeout);
  const Context bounded = ctx.with_deadline(until);
  const Result<std::vector<IpAddress>> addresses = co_await core_.addresses(bounded, url.host());
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
    if (ctx.cancelled()) co_return connected;
  }
  if (!connected.ok() || !url.secure()) co_return connected;
  co_return co_await secure(ctx, url);
}

Async<void> ClientExchange::secure(const Context& ctx, const Url& url) {
  const TimePoint now = core_.runtime.clock().now();
  const Phase phase{.until = Deadline::after(now, core_.options.handshake_timeout),
                    .code = Errc::unavailable,
                    .late = "the service did not finish the TLS handshake in time"};
  auto ssl = core_.tls.connection_to(url.host());
  auto filter = std::make_unique<TlsFilter>(std::move(ssl), thread_.scratch());
  co_return co_await socket_->handshake(ctx, std::move(filter), phase);
}

Async<void> ClientExchange::read_head(const Context& ctx) {
  const TimePoint now = core_.runtime.clock().now();
  const Phase first{.until = Deadline::after(now, core_.options.first_byte_timeout)};
  const Phase then{.stall = core_.options.stall_timeout};
  for (;;) {
    const Result<void> received = co_await receive(ctx, answered_ ? then : first);
    if (!received.ok()) co_return received.error();
    std::string_view piece;
    const auto outcome = parser_->next(input_, piece);
    if (outcome == ResponseParser::Outcome::failed) co_return refused();
    if (outcome == ResponseParser::Outcome::head) break;
  }
  prepare_decoder();
  co_return success();
}

// `input_` is not empty then, or the parser knows that the answer has ended.
Async<void> ClientExchange::receive(const Context& ctx, const Phase& phase) {
  const Result<std::string_view> got = co_await socket_->read(ctx, phase);
  if (!got.ok()) co_return got.error();
  input_ = *got;
  answered_ = answered_ || !input_.empty();
  if (input_.empty() && parser_->end() == ResponseParser::Outcome::failed) co_return refused();
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
  const Phase phase{.stall = core_.options.stall_timeout};
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
        const Result<void> received = co_await receive(ctx, phase);
        if (!received.ok()) co_return received.error();
        break;
      }
      case ResponseParser::Outcome::done: {
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
  if (parser_->reusable() && input_.empty()) pool_.keep(socket_->release());
  socket_.reset();
  slot_ = OriginPool::Slot();
  return success();
}

Error ClientExchange::refused() const {
  return parser_->too_large() ? too_large() : malformed(parser_->reason());
}

}  // namespace aiserve::inline v0::http::detail
