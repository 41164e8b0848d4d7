#include "aiserve/http/event_source.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/random.hpp"
#include "decide/backoff.hpp"
#include "http/char_class.hpp"
#include "http/client/event_parser.hpp"
#include "http/client/patience.hpp"

namespace aiserve::inline v0::http {
namespace {

using std::chrono::milliseconds;

EventSourceOptions checked(EventSourceOptions options) {
  const auto check = [](bool right, const char* option) {
    if (!right) throw ConfigError(std::string("event source: ") + option + " is out of its range");
  };
  check(options.longest_pause <= std::chrono::hours(1), "longest_pause");
  check(options.retry >= milliseconds(1) && options.retry <= options.longest_pause, "retry");
  check(options.max_failures >= 1 && options.max_failures <= 1'000'000, "max_failures");
  check(options.max_event >= 1024 && options.max_event <= (1U << 30), "max_event");
  return options;
}

bool is_event_stream(std::string_view content_type) noexcept {
  const std::size_t end = std::min(content_type.find(';'), content_type.size());
  return detail::iequals(detail::trim(content_type.substr(0, end)), "text/event-stream");
}

bool is_transient(int status) noexcept { return status == 429 || status >= 500; }

bool is_final(const Error& error) noexcept {
  switch (error.code()) {
    case Errc::invalid_argument:
    case Errc::permission_denied:
    case Errc::internal:
      return true;
    default:
      return false;
  }
}

Error too_large() { return {Errc::too_large, "an event of the service is too large"}; }

}  // namespace

class EventSource::Impl {
 public:
  Impl(Client& client, ClientRequest request, EventSourceOptions options)
      : client_(client),
        request_(std::move(request)),
        options_(checked(std::move(options))),
        parser_(options_.max_event) {
    request_.header("Accept", "text/event-stream").header("Cache-Control", "no-store");
    if (const ClientBody* const body = request_.source()) watch(*body);
  }

  Async<std::optional<ServerEvent>> next(const Context& ctx);
  const std::string& last_id() const noexcept {
    return parser_.last_id().empty() ? options_.last_event_id : parser_.last_id();
  }

 private:
  // False: there will be no more.
  Async<bool> connect(const Context& ctx);
  /// Notes when the body is asked for.
  void watch(ClientBody body);
  Result<void> begin_anew();
  Async<void> read(const Context& ctx);
  Async<void> pause(const Context& ctx);
  Error end(Error error);
  Result<bool> judge(const ClientStream& stream);

  Client& client_;
  ClientRequest request_;
  const EventSourceOptions options_;
  detail::EventParser parser_;
  std::optional<ClientStream> stream_;
  std::optional<Error> final_;
  bool ended_ = false;
  bool came_before_ = false;  // a connection that has ended
  bool body_begun_ = false;
  int failures_ = 0;
};

Async<std::optional<ServerEvent>> EventSource::Impl::next(const Context& ctx) {
  for (;;) {
    if (auto event = parser_.next()) co_return event;
    if (final_) co_return *final_;
    if (parser_.failed()) co_return end(too_large());
    if (ended_) co_return std::optional<ServerEvent>();
    if (!stream_) {
      const Result<bool> connected = co_await connect(ctx);
      if (!connected.ok()) co_return connected.error();
      if (!*connected) continue;
    }
    const Result<void> received = co_await read(ctx);
    if (!received.ok()) co_return received.error();
  }
}

Async<bool> EventSource::Impl::connect(const Context& ctx) {
  if (came_before_) {
    const Result<void> slept = co_await pause(ctx);
    if (!slept.ok()) co_return slept.error();
    if (const Result<void> begun = begin_anew(); !begun.ok()) co_return end(begun.error());
  }
  came_before_ = true;
  if (!last_id().empty()) request_.header("Last-Event-ID", last_id());
  Result<ClientStream> opened = co_await client_.open(ctx, request_);
  const Result<bool> judged = opened.ok() ? judge(*opened) : opened.error();
  if (judged.ok()) {
    parser_.restart();
    ended_ = !*judged;
    if (*judged) stream_.emplace(std::move(*opened));
    co_return *judged;
  }
  if (detail::is_over(ctx)) co_return judged.error();
  if (final_ || is_final(judged.error()) || ++failures_ >= options_.max_failures) {
    co_return end(judged.error());
  }
  co_return false;
}

void EventSource::Impl::watch(ClientBody body) {
  std::string type;
  for (const ClientRequest::Field& field : request_.fields()) {
    if (detail::iequals(field.name, "content-type")) type = field.value;
  }
  body.next = [this, next = std::move(body.next)](const Context& ctx) {
    body_begun_ = true;
    return next(ctx);
  };
  request_.body(std::move(body), type);
}

Result<void> EventSource::Impl::begin_anew() {
  if (!std::exchange(body_begun_, false)) return success();
  if (const auto& rewind = request_.source()->rewind) return rewind();
  return Error(Errc::invalid_argument, "the body of the request cannot be sent again");
}

// True: a stream; false: it has ended for good.
Result<bool> EventSource::Impl::judge(const ClientStream& stream) {
  if (stream.status() == 204) return false;
  if (stream.status() == 200 && is_event_stream(stream.header("content-type"))) return true;
  const Error error(Errc::unavailable, "the service does not answer with an event stream");
  return is_transient(stream.status()) ? error : end(error);
}

Error EventSource::Impl::end(Error error) {
  stream_.reset();
  final_ = error;
  return error;
}

Async<void> EventSource::Impl::read(const Context& ctx) {
  const Result<Bytes> part = co_await stream_->read(ctx);
  if (part.ok() && !part->empty()) {
    failures_ = 0;
    parser_.feed(part->text());
    co_return success();
  }
  if (!part.ok() && detail::is_over(ctx)) co_return part.error();
  stream_.reset();
  if (!part.ok()) ++failures_;
  co_return success();
}

Async<void> EventSource::Impl::pause(const Context& ctx) {
  const decide::BackoffPolicy policy{.base = Duration(options_.retry).count(),
                                     .cap = Duration(options_.longest_pause).count()};
  const auto failures = static_cast<std::uint32_t>(std::max(failures_, 1));
  const Duration jitter(decide::full_jitter(policy, failures, v0::detail::random_u64()));
  co_return co_await sleep(ctx, parser_.retry().value_or(options_.retry) + jitter);
}

EventSource::EventSource(Client& client, ClientRequest request, EventSourceOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(request), std::move(options))) {}
EventSource::EventSource(EventSource&&) noexcept = default;
EventSource& EventSource::operator=(EventSource&&) noexcept = default;
EventSource::~EventSource() = default;

Async<std::optional<ServerEvent>> EventSource::next(const Context& ctx) { return impl_->next(ctx); }

const std::string& EventSource::last_event_id() const noexcept { return impl_->last_id(); }

}  // namespace aiserve::inline v0::http
