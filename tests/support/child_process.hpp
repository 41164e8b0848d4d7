// A program under test: started with pipes for its output, waited for without end but not forever.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aiserve::inline v0::testing {

class ChildProcess {
 public:
  // `argv` names the program's file first. `environment` holds NAME=value; it is all there is.
  explicit ChildProcess(std::vector<std::string> argv, std::vector<std::string> environment = {}) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    open_pipe(out_, STDOUT_FILENO, actions);
    open_pipe(err_, STDERR_FILENO, actions);
    const int error = ::posix_spawn(&pid_, argv.front().c_str(), &actions, nullptr,
                                    pointers(argv).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(out_.write_end);
    ::close(err_.write_end);
    if (error != 0) throw std::runtime_error("cannot start " + argv.front());
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(out_.read_end);
    ::close(err_.read_end);
  }

  // Reads until that stream holds `text`; false at its end, or of the patience.
  bool wait_for_output(std::string_view text) { return wait_for(out_, text); }
  bool wait_for_errors(std::string_view text) { return wait_for(err_, text); }
  const std::string& output() const { return out_.text; }
  const std::string& errors() const { return err_.text; }

  void send_signal(int number) const { ::kill(pid_, number); }
  // Reads all it says until it ends: its exit status, or 128 + the signal that ended it.
  int wait() {
    while (receive()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  struct Stream {
    int read_end = -1;
    int write_end = -1;
    bool ended = false;
    std::string text;
  };

  static void open_pipe(Stream& stream, int target, posix_spawn_file_actions_t& actions) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    stream.read_end = ends[0];
    stream.write_end = ends[1];
    posix_spawn_file_actions_adddup2(&actions, ends[1], target);
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
  }

  bool wait_for(Stream& stream, std::string_view text) {
    while (stream.text.find(text) == std::string::npos) {
      if (stream.ended || !receive()) return false;
    }
    return true;
  }

  // Reads a piece of what comes first; false at the end of both streams or of the patience.
  bool receive() {
    constexpr int kPatienceMs = 120'000;
    std::array<pollfd, 2> waits{};
    const std::array<Stream*, 2> streams{&out_, &err_};
    for (std::size_t i = 0; i < 2; ++i) {
      waits[i] = {streams[i]->ended ? -1 : streams[i]->read_end, POLLIN, 0};
    }
    if (out_.ended && err_.ended) return false;
    if (::poll(waits.data(), waits.size(), kPatienceMs) <= 0) {
      ::kill(pid_, SIGKILL);
      return false;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (waits[i].revents != 0) read_some(*streams[i]);
    }
    return true;
  }

  static void read_some(Stream& stream) {
    std::array<char, 16'384> bytes{};
    const ssize_t n = ::read(stream.read_end, bytes.data(), bytes.size());
    stream.ended = n <= 0;
    if (n > 0) stream.text.append(bytes.data(), static_cast<std::size_t>(n));
  }

  pid_t pid_ = -1;
  Stream out_;
  Stream err_;
};

}  // namespace aiserve::inline v0::testing
