// Programs that a benchmark starts (servers, load generators, compilers), and what they cost.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bench {

/// CPU time in seconds.
struct Cpu {
  double user = 0;
  double total = 0;
  friend Cpu operator-(const Cpu& a, const Cpu& b) noexcept {
    return {a.user - b.user, a.total - b.total};
  }
};

/// Of this process, all threads.
Cpu own_cpu() noexcept;
double seconds_now() noexcept;  // monotonic

struct Finished {
  int status = 0;  // exit status, 128 + signal when killed
  Cpu cpu;
  double seconds = 0;
  std::string output;  // its stdout
};

using Command = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;  // added to ours

/// Runs a program to its end. Throws std::runtime_error when it cannot be started.
Finished run_program(const Command& command, const Environment& environment = {});
/// The same; throws when it fails too.
Finished run_checked(const Command& command, const Environment& environment = {});

/// A server: started by the constructor, told to end (SIGTERM, then SIGKILL) by the destructor.
/// Its stdout and stderr are dropped unless BENCH_VERBOSE is set.
class Server {
 public:
  explicit Server(const Command& command, const Environment& environment = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Until a TCP connection to 127.0.0.1:port succeeds; throws after 10 s or when it has ended.
  void wait_for_port(std::uint16_t port);
  /// So far. user is exact to 10 ms (the kernel's tick), total to a microsecond.
  Cpu cpu() const;
  std::uint64_t resident_kib() const;
  pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// A TCP port of 127.0.0.1 that nobody listens on right now.
std::uint16_t free_port();
bool can_connect(std::uint16_t port) noexcept;

}  // namespace bench
