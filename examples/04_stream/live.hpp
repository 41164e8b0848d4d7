// One WebSocket: every tick goes out, and a number that comes in is answered with its double.
#pragma once

#include <aiserve/events/event_bus.hpp>
#include <aiserve/http/websocket.hpp>
#include <aiserve/serving/batcher.hpp>

aiserve::Async<void> live(aiserve::Batcher& batcher, aiserve::EventBus& bus,
                          const aiserve::Context& ctx, aiserve::http::WebSocket& socket);
