/// Live: four times a second, what the service does, to everybody who watches (Server-Sent Events).
///
/// Event "stats" tells of the last quarter of a second, event "fire" of the run that is going on
/// and, once, of its end. A watcher that does not keep up is dropped by the server.
/// *Thread safety:* follow() on I/O threads, like every handler.
///
///     server.events("/v1/stream", [&](const Context& ctx, const http::Request&,
///                                     http::EventStream stream) {
///       return live.follow(ctx, stream);
///     });
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/http/event_stream.hpp>
#include <aiserve/serving/batcher.hpp>

#include <mutex>
#include <string_view>
#include <vector>

#include "fire.hpp"
#include "ride_recorder.hpp"

namespace service {

class Live {
 public:
  Live(aiserve::Runtime& runtime, aiserve::Batcher& batcher, RideRecorder& recorder, Fire& fire);
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  /// Ends when the stream does.
  aiserve::Async<void> follow(const aiserve::Context& ctx, aiserve::http::EventStream stream);

 private:
  aiserve::Async<void> tick(const aiserve::Context& ctx);
  void publish_stats(aiserve::Duration interval);
  void publish_running();
  void publish_end(const FireReport& report);
  void send_locked(std::string_view event, std::string_view data);

  aiserve::Runtime& runtime_;
  aiserve::Batcher& batcher_;
  RideRecorder& recorder_;
  Fire& fire_;
  const aiserve::Context ticking_{aiserve::ContextOptions{}};

  std::mutex mutex_;
  std::vector<aiserve::http::EventStream> watchers_;

  aiserve::Attachment attachment_;
};

}  // namespace service
