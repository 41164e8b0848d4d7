#include "http/safe_open.hpp"

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
// EAGAIN: something was renamed meanwhile, and the kernel cannot be sure.
constexpr int kAttempts = 16;

Descriptor open_in_kernel(const Descriptor& directory, const std::string& path) noexcept {
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* const name = path.empty() ? "." : path.c_str();
  long fd = -1;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    fd = ::syscall(SYS_openat2, directory.get(), name, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return Descriptor(static_cast<int>(fd));
}

bool leads_astray(std::string_view path) noexcept {
  if (path.find('\0') != std::string_view::npos || path.starts_with('/')) return true;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return false;
}

Descriptor open_step_by_step(const Descriptor& directory, const std::string& path) noexcept {
  Descriptor here(::openat(directory.get(), ".", kFlags | O_DIRECTORY));
  std::string_view left = path;
  while (here && !left.empty()) {
    const std::size_t slash = left.find('/');
    const std::string segment(left.substr(0, slash));
    left = slash == std::string_view::npos ? std::string_view() : left.substr(slash + 1);
    if (segment.empty()) continue;
    // A name with a slash behind it is a directory.
    const int kind = slash == std::string_view::npos ? 0 : O_DIRECTORY;
    here = Descriptor(::openat(here.get(), segment.c_str(), kFlags | O_NOFOLLOW | kind));
  }
  return here;
}

}  // namespace

Descriptor open_directory(const std::string& path) noexcept {
  return Descriptor(::open(path.c_str(), kFlags | O_DIRECTORY));
}

Descriptor open_beneath(const Descriptor& directory, const std::string& path,
                        Resolve resolve) noexcept {
  if (leads_astray(path)) {
    errno = ENOENT;
    return {};
  }
  if (resolve == Resolve::kernel) {
    Descriptor file = open_in_kernel(directory, path);
    if (file || (errno != ENOSYS && errno != EPERM)) return file;
  }
  return open_step_by_step(directory, path);
}

}  // namespace aiserve::inline v0::http::detail
