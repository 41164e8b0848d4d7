// HttpTarget: a service behind a URL. Keep-alive connections, one request on each at a time, served
// by one thread with epoll; what comes while all are busy waits here, and its latency counts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tuner/http_text.hpp"

namespace tuner {

struct HttpTargetOptions {
  Url url;
  std::size_t connections = 256;
  /// Ready to send, one picked by (index, tenant): requests[tenant][index % size].
  std::vector<std::vector<std::string>> requests;
};

class HttpTarget final : public Target {
 public:
  /// Connects and sends one request. Throws std::runtime_error when nobody answers it with 2xx.
  explicit HttpTarget(HttpTargetOptions options);
  ~HttpTarget() override;

  void send(const Call& call, Done done) override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tuner
