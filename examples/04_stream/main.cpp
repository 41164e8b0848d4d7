// 04_stream [PORT]: a live view of a batcher, as server-sent events and on WebSockets that also
// take numbers to double, and bodies that are streamed. http://localhost:8080/ shows all of it.
//
//   curl -N localhost:8080/v1/ticks
//   npx wscat -c ws://localhost:8080/v1/live
//   seq 5 | curl -NT - -X POST localhost:8080/v1/double
#include <aiserve/events/memory_event_bus.hpp>
#include <aiserve/http/event_channel.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/websocket.hpp>
#include <aiserve/serving/batcher.hpp>

#include <cstdlib>

#include "doubler.hpp"
#include "live.hpp"
#include "page.hpp"
#include "ticker.hpp"

using namespace aiserve;

int main(int argc, char** argv) try {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  MemoryEventBus bus;
  Runtime runtime;
  const Signature signature{{TensorSpec("x", DType::f32, {-1, 1})},
                            {TensorSpec("y", DType::f32, {-1, 1})}};
  CallableModel model({.name = "doubler", .signature = signature}, [](Batch& batch) {
    const auto in = batch.input<float>();
    const auto out = batch.output<float>();
    for (std::size_t i = 0; i < batch.size(); ++i) out[i] = 2 * in[i];
    return success();
  });
  Batcher batcher(runtime, model, {.max_batch = 32});
  http::EventChannel ticks({.newcomers_get = 1});
  const Ticker ticker(runtime, batcher, ticks, bus);

  http::Server server(runtime, {.port = port});
  server.get("/", [](const Context&, const http::Request&) { return http::html(kPage); });
  server.events("/v1/ticks", ticks);
  server.websocket("/v1/live", [&](const Context& ctx, http::WebSocket& socket) {
    return live(batcher, bus, ctx, socket);
  });
  server.post("/v1/double",
              [&](const Context& ctx, const http::Request&, http::BodyReader& body,
                  http::BodyWriter& answer) { return double_lines(batcher, ctx, body, answer); },
              {.timeout = std::chrono::milliseconds(0)});
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
