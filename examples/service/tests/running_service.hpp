// The service as a program, started on free ports with the quickly trained model.
#pragma once

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/http/client.hpp"

namespace service::testing {

inline std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, name << " is not set");
  return value;
}

inline std::string program() { return from_environment("AISERVE_TEST_SERVICE"); }
inline std::string model() { return from_environment("AISERVE_TEST_MODEL") + "/fashion.pt"; }

class RunningService {
 public:
  explicit RunningService(const std::vector<std::string>& more = {})
      : child_(arguments(more), {"AISERVE_SERVICE_LOG_LEVEL=warn"}) {
    if (!child_.wait_for_output("\n")) FAIL("no service: " << child_.errors());
    port_ = port_behind("listening on http://127.0.0.1:");
    admin_port_ = port_behind("metrics and status on http://127.0.0.1:");
  }

  aiserve::http::RawClient connect() const { return aiserve::http::RawClient(port_); }
  aiserve::http::RawClient connect_admin() const { return aiserve::http::RawClient(admin_port_); }
  std::uint16_t port() const { return port_; }
  const std::string& output() const { return child_.output(); }

  void terminate() const { child_.send_signal(SIGTERM); }
  int wait() { return child_.wait(); }
  const std::string& errors() const { return child_.errors(); }

 private:
  static std::vector<std::string> arguments(const std::vector<std::string>& more) {
    std::vector<std::string> list{program(), "--model", model(), "--port", "0"};
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }

  std::uint16_t port_behind(const std::string& text) const {
    const std::size_t at = child_.output().find(text);
    REQUIRE_MESSAGE(at != std::string::npos, child_.output());
    return static_cast<std::uint16_t>(std::atoi(child_.output().c_str() + at + text.size()));
  }

  aiserve::testing::ChildProcess child_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
};

inline std::string post(const std::string& path, const std::string& type, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace service::testing
