#include "harness/process.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {
namespace {

double seconds(const timeval& time) noexcept {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Cpu cpu_of(const rusage& usage) noexcept {
  const double user = seconds(usage.ru_utime);
  return {user, user + seconds(usage.ru_stime)};
}

// In the child, between fork and exec.
[[noreturn]] void become(const Command& command, const Environment& environment, int out, int err) {
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (out >= 0) ::dup2(out, STDOUT_FILENO);
  if (err >= 0) ::dup2(err, STDERR_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

double seconds_now() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

Cpu own_cpu() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return {seconds(usage.ru_utime),
          static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9};
}

Finished run_program(const Command& command, const Environment& environment) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  const double begun = seconds_now();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) become(command, environment, ends[1], -1);
  ::close(ends[1]);
  Finished finished;
  finished.output = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  finished.seconds = seconds_now() - begun;
  finished.cpu = cpu_of(usage);
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (finished.status == 127) throw std::runtime_error("cannot start " + command.front());
  return finished;
}

Finished run_checked(const Command& command, const Environment& environment) {
  Finished finished = run_program(command, environment);
  if (finished.status != 0) {
    throw std::runtime_error(command.front() + " ended with status " +
                             std::to_string(finished.status));
  }
  return finished;
}

Server::Server(const Command& command, const Environment& environment) {
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ != 0) return;
  const int sink = std::getenv("BENCH_VERBOSE") != nullptr ? -1 : ::open("/dev/null", O_WRONLY);
  become(command, environment, sink, sink);
}

Server::~Server() {
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 200; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Server::wait_for_port(std::uint16_t port) {
  const double until = seconds_now() + 10;
  while (!can_connect(port)) {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == pid_) throw std::runtime_error("the server ended before it listened");
    if (seconds_now() > until) throw std::runtime_error("the server does not listen");
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

Cpu Server::cpu() const {
  namespace fs = std::filesystem;
  const std::string root = "/proc/" + std::to_string(pid_);
  std::ifstream stat(root + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user_ticks = 0;
  fields >> user_ticks;
  Cpu cpu;
  cpu.user = user_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (const auto& task : fs::directory_iterator(root + "/task")) {
    std::ifstream schedule(task.path() / "schedstat");
    double nanoseconds = 0;
    schedule >> nanoseconds;
    cpu.total += nanoseconds * 1e-9;
  }
  return cpu;
}

std::uint64_t Server::resident_kib() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool can_connect(std::uint16_t port) noexcept {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace bench
