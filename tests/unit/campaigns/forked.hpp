// A child process that runs a function of the test and says lines, which outlive it: to be killed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace aiserve::inline v0::testing {

/// The child's side of the pipe. A line is written at once and whole (PIPE_BUF), by any thread.
class Said {
 public:
  explicit Said(int fd) noexcept : fd_(fd) {}
  void operator()(std::string line) const {
    line += '\n';
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(11);
  }

 private:
  int fd_;
};

class Forked {
 public:
  /// `work` returns the exit status. No thread may run here.
  explicit Forked(const std::function<int(const Said&)>& work) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
      ::close(ends[0]);
      ::_exit(work(Said(ends[1])));
    }
    ::close(ends[1]);
    read_end_ = ends[0];
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;
  ~Forked() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      static_cast<void>(wait());
    }
    ::close(read_end_);
  }

  void signal(int number) const { ::kill(pid_, number); }

  /// The next line; nothing when all that had the pipe are gone.
  std::optional<std::string> line() {
    std::size_t end = text_.find('\n');
    while (end == std::string::npos) {
      std::array<char, 16'384> bytes{};
      const ssize_t n = ::read(read_end_, bytes.data(), bytes.size());
      if (n <= 0) return std::nullopt;
      text_.append(bytes.data(), static_cast<std::size_t>(n));
      end = text_.find('\n');
    }
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }
  /// Skips lines up to one with this in it.
  bool says(std::string_view part) {
    while (const std::optional<std::string> one = line()) {
      if (one->find(part) != std::string::npos) return true;
    }
    return false;
  }
  /// Its exit status, or 128 + the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Until it has been stopped.
  bool stops() const {
    int status = 0;
    return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }

 private:
  pid_t pid_ = -1;
  int read_end_ = -1;
  std::string text_;
};

/// Has the kernel kill -9 this process after so long, whatever it is doing then.
inline void die_in(std::uint64_t microseconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(microseconds / 1'000'000);
  when.it_value.tv_nsec = static_cast<long>(microseconds % 1'000'000 * 1000 + 1);
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) ::_exit(12);
  ::timer_settime(timer, 0, &when, nullptr);
}

}  // namespace aiserve::inline v0::testing
