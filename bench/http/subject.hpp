// Subject: a server in a process of its own, and what a load costs it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "harness/process.hpp"

namespace bench {

struct Cost {
  double user_us = 0;  // per request
  double cpu_us = 0;
  double per_second = 0;
};

class Subject {
 public:
  /// "@PORT@" in the command becomes its port.
  explicit Subject(Command command, Environment environment = {})
      : command_(std::move(command)), environment_(std::move(environment)) {}

  /// Throws std::runtime_error when it doesn't listen within 10 s.
  void start();
  void stop() { server_.reset(); }

  /// By http_load: `requests` of the given shape (its arguments), after a twentieth to warm up.
  Cost http(std::uint64_t requests, const Command& shape);
  /// By wrk, which speaks TLS too: GET `path` on 64 connections.
  Cost wrk(const std::string& scheme, const std::string& path, int seconds);

  std::uint16_t port() const noexcept { return port_; }
  const Server& server() const noexcept { return *server_; }

 private:
  double load(std::uint64_t requests, const Command& shape) const;

  Command command_;
  Environment environment_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
};

/// Throws std::runtime_error("PROGRAM is not installed").
void require_program(const std::string& program);

}  // namespace bench
