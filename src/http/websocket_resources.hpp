// What WebSockets share: the metrics of their server, the memory of their I/O thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/metrics.hpp"
#include "http/out_buffer.hpp"
#include "http/websocket_deflate.hpp"

namespace aiserve::inline v0::http::detail {

struct WebSocketMetrics {
  WebSocketMetrics(Metrics& metrics, const std::string& server);

  Counter& received;
  Counter& sent;
  Counter& dropped;
  Gauge& open;
};

struct WebSocketResources {
  DeflatePool deflate;
  std::vector<std::unique_ptr<OutBuffer>> out_buffers;
};

}  // namespace aiserve::inline v0::http::detail
