// Ends a process together with its children.
#pragma once

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace aiserve::inline v0::testing {

struct ProcessStatus {
  char state = 'X';
  pid_t parent = 0;
};

/// What proc(5) tells of a process; nothing of one that is gone.
inline std::optional<ProcessStatus> status_of_process(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return std::nullopt;
  ProcessStatus status;
  std::istringstream(line.substr(after_name + 1)) >> status.state >> status.parent;
  return status;
}

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::optional<ProcessStatus> status = status_of_process(name);
    if (status && status->parent == parent) children.push_back(std::stoi(name));
  }
  return children;
}

/// Kills a child of this process, and its children before it: none of them runs when this returns.
inline void kill_with_children(pid_t process) {
  ::kill(process, SIGSTOP);  // starts no more of them
  ::waitpid(process, nullptr, WUNTRACED);
  const std::vector<pid_t> children = children_of(process);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  for (const pid_t child : children) {
    for (;;) {
      const std::optional<ProcessStatus> status = status_of_process(std::to_string(child));
      if (!status || status->state == 'Z' || status->state == 'X') break;
      ::poll(nullptr, 0, 1);
    }
  }
}

}  // namespace aiserve::inline v0::testing
