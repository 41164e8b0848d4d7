#include "aiserve/http/client.hpp"

#include <string>
#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "http/client/client_call.hpp"
#include "http/client/client_checks.hpp"
#include "http/client/client_stream.hpp"

namespace aiserve::inline v0::http {
namespace {

// One call in metrics and traces (by the names of OpenTelemetry's semantic conventions).
class Told {
 public:
  Told(detail::ClientCore& core, const Context& ctx, const ClientRequest& request)
      : core_(core), began_(core.runtime.clock().now()), trace_(ctx.trace()) {
    if (!trace_.valid()) return;
    Tracer& tracer = core.runtime.telemetry().tracer();
    if (!tracer.enabled()) {
      trace_ = trace_.child();
      return;
    }
    const std::string title = "HTTP " + std::string(name(request.method()));
    span_ = tracer.start(title, trace_);
    span_.set("http.request.method", name(request.method()));
    trace_ = span_.context();
  }

  // What the call runs under: its own deadline and place in the trace.
  Context context(const Context& ctx, const ClientRequest& request) const {
    return ctx.with_deadline(deadline(request)).with_trace(trace_);
  }
  // The client's, whatever the Context's is.
  Deadline deadline(const ClientRequest& request) const noexcept {
    return Deadline::after(began_, request.timeout().value_or(core_.options.timeout));
  }
  void answered(int status) noexcept {
    span_.set("http.response.status_code", status);
    core_.metrics.answered(status, took());
  }
  const Error& failed(const Error& error) noexcept {
    span_.fail(traits(error.code()).label);
    core_.metrics.failed(error.code(), took());
    return error;
  }

 private:
  Duration took() const noexcept { return core_.runtime.clock().now() - began_; }

  detail::ClientCore& core_;
  TimePoint began_;
  TraceParent trace_;
  Span span_;
};

Error not_on_an_io_thread() {
  return Error().with_detail("http::Client was called outside its runtime's I/O threads");
}

}  // namespace

Client::Client(Runtime& runtime, ClientOptions options)
    : core_(std::make_unique<detail::ClientCore>(runtime, detail::checked(std::move(options)))),
      attachment_(runtime.attach({.name = "http client " + core_->options.name})) {}

Client::~Client() {
  // Before what its calls use goes.
  attachment_ = Attachment();
}

const ClientOptions& Client::options() const noexcept { return core_->options; }

Async<ClientResponse> Client::send(const Context& ctx, ClientRequest request) {
  detail::ClientThread* const thread = core_->here();
  if (thread == nullptr) co_return not_on_an_io_thread();
  Told told(*core_, ctx, request);
  const Context own = told.context(ctx, request);
  detail::ClientCall call(*core_, *thread, own, told.deadline(request), request, true);
  const Result<void> came = co_await call.run();
  if (!came.ok()) co_return told.failed(came.error());
  detail::ResponseHead& head = call.head();
  told.answered(head.status);
  co_return ClientResponse(head.status, std::move(head.fields),
                           Bytes::adopt(std::move(call.body())));
}

Async<ClientStream> Client::open(const Context& ctx, ClientRequest request) {
  detail::ClientThread* const thread = core_->here();
  if (thread == nullptr) co_return not_on_an_io_thread();
  Told told(*core_, ctx, request);
  const Context own = told.context(ctx, request);
  detail::ClientCall call(*core_, *thread, own, told.deadline(request), request, false);
  const Result<void> came = co_await call.run();
  if (!came.ok()) co_return told.failed(came.error());
  told.answered(call.head().status);
  co_return ClientStream(std::make_unique<ClientStream::Impl>(call.take_exchange()));
}

}  // namespace aiserve::inline v0::http
